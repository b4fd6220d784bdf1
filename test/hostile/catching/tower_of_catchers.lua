-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local function tower(n)
    if n == 0 then while true do end end
    pcall(coroutine.wrap(function() xpcall(tower, function() end, n - 1) end))
    violated = true
end
tower(20)
