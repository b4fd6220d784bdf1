-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__tostring = function(t) print(t) return "" end})
print(t)
