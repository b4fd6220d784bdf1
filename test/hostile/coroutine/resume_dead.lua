-- expect: ok [false, "cannot resume dead coroutine", "dead"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function() end)
coroutine.resume(co)
local ok, why = coroutine.resume(co)
return ok, why, coroutine.status(co)
