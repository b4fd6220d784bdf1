-- expect: limit time | down time | ok
-- SPDX-License-Identifier: Apache-2.0
-- The collector comes back to a weak table until nothing new is marked: links in the order of a
-- shuffle make that the square of their number, inside one step.
-- A limit can meet it before that step, which is then the next call's.
-- options: memory_bytes=67108864
-- after: reset
-- needs: timer
local n, keys = 100000, {}
for i = 1, n do keys[i] = {} end
for i = n, 2, -1 do
    local j = math.random(i)
    keys[i], keys[j] = keys[j], keys[i]
end
local t = setmetatable({}, {__mode = "k"})
for i = 1, n - 1 do t[keys[i]] = keys[i + 1] end
local first = keys[1]
keys = nil
while true do collectgarbage() end
