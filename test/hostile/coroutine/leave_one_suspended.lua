-- expect: ok [1]
-- SPDX-License-Identifier: Apache-2.0
hoard = coroutine.wrap(function()
    local x <close> = setmetatable({}, {__close = function() violated = true end})
    coroutine.yield(1)
end)
return hoard()
