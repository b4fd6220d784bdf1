-- expect: ok [false, "e", "dead"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function() error("e", 0) end)
coroutine.resume(co)
local ok, why = coroutine.close(co)
return ok, why, coroutine.status(co)
