-- expect: ok [false, true, "running"]
-- SPDX-License-Identifier: Apache-2.0
local co, main = coroutine.running()
return coroutine.isyieldable(), main, coroutine.status(co)
