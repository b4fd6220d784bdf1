-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__len = function() table.remove(t) return 0 end
table.remove(t)
