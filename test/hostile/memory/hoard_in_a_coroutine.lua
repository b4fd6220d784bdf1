-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
hoard = coroutine.wrap(function()
    local head
    while true do
        for _ = 1, 100 do head = {head} end
        coroutine.yield()
    end
end)
while true do hoard() end
