-- expect: ok [true, false]
-- SPDX-License-Identifier: Apache-2.0
local co, resumed
co = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function()
        resumed = coroutine.resume(co)
    end})
    coroutine.yield()
end)
coroutine.resume(co)
return coroutine.close(co), resumed
