-- expect: ok [null, null, true, null]
-- SPDX-License-Identifier: Apache-2.0
return math.tointeger(2.0 ^ 63), math.tointeger(0 / 0),
    math.tointeger(-(2.0 ^ 63)) == math.mininteger, math.tointeger("x")
