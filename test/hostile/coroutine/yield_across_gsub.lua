-- expect: ok [false, "attempt to yield across a C-call boundary"]
-- SPDX-License-Identifier: Apache-2.0
return coroutine.resume(coroutine.create(function() ("x"):gsub("x", coroutine.yield) end))
