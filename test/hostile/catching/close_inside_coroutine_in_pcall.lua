-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
pcall(function()
    local co = coroutine.wrap(function()
        local x <close> = setmetatable({}, {__close = function()
            pcall(function() while true do end end)
            violated = true
        end})
        error("x")
    end)
    co()
end)
violated = true
