-- expect: ok [true, true, 0]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function() coroutine.yield() end)
local a = coroutine.resume(co)
local b = coroutine.resume(co)
return a, b, select("#", table.unpack({}, 1, 0))
