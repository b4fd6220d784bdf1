-- expect: limit depth
-- options: memory_bytes=268435456
-- SPDX-License-Identifier: Apache-2.0
local function deeper(n) return 1 + deeper(n + 1) end
pcall(deeper, 0)
violated = true
