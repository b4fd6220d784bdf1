-- expect: ok [true, false]
-- SPDX-License-Identifier: Apache-2.0
local co, closed
co = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function()
        closed = pcall(coroutine.close, co)
    end})
    coroutine.yield()
end)
coroutine.resume(co)
return coroutine.close(co), closed
