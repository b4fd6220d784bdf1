-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.wrap(function()
    while true do pcall(function() while true do end end) coroutine.yield() end
end)
while true do co() violated = true end
