-- expect: ok [1, 2, 3]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
t[math.maxinteger], t[math.mininteger], t[1 << 40] = 1, 2, 3
return t[math.maxinteger], t[math.mininteger], t[1 << 40]
