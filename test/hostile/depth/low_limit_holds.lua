-- expect: limit depth
-- options: depth=10
-- SPDX-License-Identifier: Apache-2.0
local function deeper(n) if n > 0 then pcall(deeper, n - 1) end end
deeper(50)
