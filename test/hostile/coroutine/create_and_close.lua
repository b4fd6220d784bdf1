-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    local co = coroutine.create(function()
        local x <close> = setmetatable({}, {__close = function() end})
        coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
end
