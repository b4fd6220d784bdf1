-- expect: limit depth | ok | lua "invalid order function"
-- SPDX-License-Identifier: Apache-2.0
-- Nested without end or not, as the algorithm asks for comparisons.
local t = {5, 4, 3, 2, 1}
local function order(a, b) table.sort(t, order) return a < b end
table.sort(t, order)
