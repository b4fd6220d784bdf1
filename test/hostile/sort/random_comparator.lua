-- expect: ok | lua "invalid order function" | lua "attempt to compare"
-- SPDX-License-Identifier: Apache-2.0
-- The manual lets an inconsistent order fail or produce any order.
local t = {}
for i = 1, 10000 do t[i] = i end
table.sort(t, function() return math.random() < 0.5 end)
