-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- Each coroutine passes on what the one inside yields.
local function layer(n)
    if n == 0 then while true do coroutine.yield() end end
    local inner = coroutine.wrap(function() layer(n - 1) end)
    while true do coroutine.yield(inner()) end
end
local outer = coroutine.wrap(function() layer(50) end)
while true do outer() end
