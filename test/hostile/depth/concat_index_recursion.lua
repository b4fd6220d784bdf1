-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__index = function() return table.concat(t, "", 1, 1) end
return table.concat(t, "", 1, 1)
