-- expect: ok [true] | limit time | limit memory
-- SPDX-License-Identifier: Apache-2.0
-- The reader is a C function that returns numbers for ever, until the source cap.
return load(coroutine.wrap(function() while true do coroutine.yield(1) end end)) == nil
