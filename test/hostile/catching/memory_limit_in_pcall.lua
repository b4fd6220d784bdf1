-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
while true do
    pcall(function()
        local head
        while true do head = {head} end
    end)
    violated = true
end
