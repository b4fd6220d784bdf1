-- expect: lua "cannot resume dead coroutine"
-- SPDX-License-Identifier: Apache-2.0
local f = coroutine.wrap(function() end)
f()
f()
