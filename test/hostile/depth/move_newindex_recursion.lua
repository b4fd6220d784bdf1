-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__newindex = function() table.move({1}, 1, 1, 1, t) end
table.move({1}, 1, 1, 1, t)
