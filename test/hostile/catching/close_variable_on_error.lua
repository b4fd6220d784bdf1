-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
pcall(function()
    local x <close> = setmetatable({}, {__close = function()
        while true do pcall(function() while true do end end) end
    end})
    error("x")
end)
violated = true
