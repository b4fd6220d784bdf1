-- expect: ok [2, 2, 3]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
t[1] = 1
t[1.0] = 2
t[2 ^ 53] = 3
return t[1], t[1.0], t[1 << 53]
