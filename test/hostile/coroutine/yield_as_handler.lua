-- expect: ok [true, false, "dead"]
-- SPDX-License-Identifier: Apache-2.0
-- No yield passes a handler: its error calls the handler again, until that is given up.
local co = coroutine.create(function() return xpcall(error, coroutine.yield, "x") end)
local a, b = coroutine.resume(co)
return a, b, coroutine.status(co)
