-- expect: ok | lua "invalid order function" | lua "attempt to compare"
-- SPDX-License-Identifier: Apache-2.0
-- What it finds is up to the algorithm; the box must survive it.
local t = {}
for i = 1, 1000 do t[i] = 1000 - i end
local n = 0
table.sort(t, function(a, b)
    n = n + 1
    t[n % 1000 + 1] = nil
    if n % 100 == 0 then collectgarbage() end
    return (a or 0) < (b or 0)
end)
