-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local a <close> = setmetatable({}, {__close = function() violated = true end})
local co = coroutine.wrap(function()
    local b <close> = setmetatable({}, {__close = function() violated = true end})
    local c = ("x"):gsub("x", function()
        local d <close> = setmetatable({}, {__close = function() violated = true end})
        while true do end
    end)
end)
co()
