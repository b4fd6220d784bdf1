-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 1000 do t[i], t["k" .. i] = i, i end
for k in pairs(t) do
    t[k] = nil
    collectgarbage("step")
end
local n = 0
for _ in pairs(t) do n = n + 1 end
return n
