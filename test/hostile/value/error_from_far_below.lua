-- expect: lua "bottom"
-- SPDX-License-Identifier: Apache-2.0
local function deeper(n) if n == 0 then error("bottom") end deeper(n - 1) return 1 end
deeper(20000)
