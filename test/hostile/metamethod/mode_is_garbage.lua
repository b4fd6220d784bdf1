-- expect: ok [1]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__mode = {}})
t[1] = 1
collectgarbage()
setmetatable(t, {__mode = ("k"):rep(100000) .. "v"})
collectgarbage()
return t[1]
