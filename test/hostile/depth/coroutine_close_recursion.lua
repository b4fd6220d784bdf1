-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper()
    local co = coroutine.create(function()
        local x <close> = setmetatable({}, {__close = deeper})
        coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
end
deeper()
