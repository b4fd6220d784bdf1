-- expect: ok [true, "dead", "dead"]
-- SPDX-License-Identifier: Apache-2.0
local inner = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function() end})
    coroutine.yield()
end)
local outer = coroutine.create(function()
    local x <close> = setmetatable({}, {__close = function() coroutine.close(inner) end})
    coroutine.yield()
end)
coroutine.resume(inner)
coroutine.resume(outer)
return coroutine.close(outer), coroutine.status(inner), coroutine.status(outer)
