-- expect: ok [100]
-- SPDX-License-Identifier: Apache-2.0
local function deeper(n) return n == 0 and 0 or 1 + select(2, pcall(deeper, n - 1)) end
return deeper(100)
