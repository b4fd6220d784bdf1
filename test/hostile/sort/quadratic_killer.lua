-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The comparator decides late which element is which, so that every pivot is the worst one.
local n, frozen, candidate = 20000, 0, 0
local value = {}
local t = {}
for i = 1, n do t[i] = i value[i] = math.huge end
while true do
    table.sort(t, function(a, b)
        if value[a] == math.huge and value[b] == math.huge then
            frozen = frozen + 1
            value[a == candidate and a or b] = frozen
        end
        if value[a] == math.huge then
            candidate = a
        elseif value[b] == math.huge then
            candidate = b
        end
        return value[a] < value[b]
    end)
end
