-- expect: ok [false, "second", "dead"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.create(function()
    local a <close> = setmetatable({}, {__close = function() error("second", 0) end})
    local b <close> = setmetatable({}, {__close = function() error("first", 0) end})
    coroutine.yield()
end)
coroutine.resume(co)
local ok, why = coroutine.close(co)
return ok, why, coroutine.status(co)
