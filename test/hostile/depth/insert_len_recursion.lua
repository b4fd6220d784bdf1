-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__len = function() table.insert(t, 1) return 0 end
table.insert(t, 1)
