-- expect: ok [true, true, true, 0, 0, true, true]
-- SPDX-License-Identifier: Apache-2.0
local min, max = math.mininteger, math.maxinteger
return min // -1 == min, max + 1 == min, math.abs(min) == min, min % -1, math.fmod(min, -1),
    1 << 64 == 0, 1 >> -1 == 2
