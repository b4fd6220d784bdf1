-- expect: limit time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
local source = "return x " .. ("and x "):rep(160000)
while true do load(source) end
