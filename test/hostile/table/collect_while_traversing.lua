-- expect: ok [1000]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__mode = "k"})
local keep = {}
for i = 1, 1000 do keep[i] = {} t[keep[i]] = i t[{}] = i end
local n = 0
for _ in pairs(t) do
    collectgarbage()
    n = n + 1
    if n == 20 then break end
end
n = 0
for _ in pairs(t) do n = n + 1 end
return n
