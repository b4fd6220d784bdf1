-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The jumps to the end are a list that is walked for each new one.
-- options: memory_bytes=67108864
local source = "if x then " .. ("elseif x then "):rep(70000) .. "end"
while true do load(source) end
