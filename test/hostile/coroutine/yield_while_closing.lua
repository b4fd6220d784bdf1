-- expect: ok [false, "attempt to yield across a C-call boundary"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function() coroutine.yield() end})
    coroutine.yield()
end)
coroutine.resume(co)
return coroutine.close(co)
