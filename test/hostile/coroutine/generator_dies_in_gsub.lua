-- expect: lua "cannot resume dead coroutine"
-- SPDX-License-Identifier: Apache-2.0
return ("aaa"):gsub("a", coroutine.wrap(function() coroutine.yield("b") return "c" end))
