-- expect: limit time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
local source = "if x then " .. ("elseif x then "):rep(70000) .. "end"
while true do
    local piece = source
    load(function()
        local one = piece
        piece = nil
        return one
    end)
end
