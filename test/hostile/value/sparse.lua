-- expect: ok
-- SPDX-License-Identifier: Apache-2.0
local t = {}
t[1], t[1 << 53], t[-1], t[1.5] = 1, 2, 3, 4
return t
