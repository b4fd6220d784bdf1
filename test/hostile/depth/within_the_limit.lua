-- expect: ok [30]
-- SPDX-License-Identifier: Apache-2.0
-- On the smallest stacks not all of the 200 levels that the option allows are to be had.
local function deeper(n) return n == 0 and 0 or 1 + select(2, pcall(deeper, n - 1)) end
return deeper(30)
