-- expect: limit time | down time
-- SPDX-License-Identifier: Apache-2.0
-- A limit can meet it before that step, which is then the next call's.
-- options: memory_bytes=67108864
-- after: reset
-- needs: timer
local n, keys, tables, order = 20000, {}, {}, {}
for i = 1, n do keys[i] = {} order[i] = i end
for i = n, 2, -1 do
    local j = math.random(i)
    order[i], order[j] = order[j], order[i]
end
for i = 1, n do tables[i] = setmetatable({}, {__mode = "k"}) end
for i = 1, n - 1 do tables[order[i]][keys[i]] = keys[i + 1] end
local first = keys[1]
keys = nil
while true do collectgarbage() end
