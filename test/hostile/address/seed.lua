-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
-- The stock library seeds with the address of the state, and returns the seed.
local a, b = math.randomseed()
local c, d = math.randomseed()
return not (b and b == d and b > 1 << 32 and b < 1 << 48)
