-- expect: ok [true, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return math.type(math.random(math.mininteger, math.maxinteger)) == "integer",
    (pcall(math.random, 2, 1)), (pcall(math.random, 1, 2, 3)), (pcall(math.random, -1))
