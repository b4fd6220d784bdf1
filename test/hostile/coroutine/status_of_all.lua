-- expect: ok ["suspended", "running", "normal", "dead"]
-- SPDX-License-Identifier: Apache-2.0
local co, inside, normal
co = coroutine.create(function()
    inside = coroutine.status(co)
    coroutine.wrap(function() normal = coroutine.status(co) end)()
end)
local before = coroutine.status(co)
coroutine.resume(co)
return before, inside, normal, coroutine.status(co)
