-- expect: ok [false, "attempt to yield across a C-call boundary"]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__tostring = coroutine.yield})
return coroutine.resume(coroutine.create(function() return tostring(t) end))
