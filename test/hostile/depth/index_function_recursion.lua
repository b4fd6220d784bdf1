-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__index = function(t, k) return t[k + 1] end
return t[1]
