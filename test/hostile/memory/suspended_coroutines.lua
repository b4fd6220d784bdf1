-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head
while true do
    local co = coroutine.wrap(function() local t = {} coroutine.yield() return t end)
    co()
    head = {head, co}
end
