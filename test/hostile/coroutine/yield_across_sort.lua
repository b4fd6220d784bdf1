-- expect: ok [false, "attempt to yield across a C-call boundary"]
-- SPDX-License-Identifier: Apache-2.0
return coroutine.resume(coroutine.create(function() table.sort({2, 1}, coroutine.yield) end))
