-- expect: ok [10000]
-- SPDX-License-Identifier: Apache-2.0
local function deeper(n) return n == 0 and 0 or 1 + deeper(n - 1) end
return deeper(10000)
