-- expect: ok [true, null, "attempt to yield across a C-call boundary"]
-- SPDX-License-Identifier: Apache-2.0
return coroutine.resume(coroutine.create(function() return load(coroutine.yield) end))
