-- expect: ok [false, "cannot resume non-suspended coroutine"]
-- SPDX-License-Identifier: Apache-2.0
local co
co = coroutine.create(function() return coroutine.resume(co) end)
return select(2, coroutine.resume(co))
