-- expect: ok [false, "x!", false, "y!"]
-- SPDX-License-Identifier: Apache-2.0
local handler = coroutine.wrap(function(e) while true do e = coroutine.yield(e .. "!") end end)
local a, b = xpcall(error, handler, "x")
local c, d = xpcall(error, handler, "y")
return a, b, c, d
