-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local mt = {}
local t = setmetatable({}, mt)
for i = 1, 1000 do t[{}] = {} end
mt.__mode = "k"
collectgarbage()
mt.__mode = "v"
collectgarbage()
local n = 0
for _ in pairs(t) do n = n + 1 end
return n
