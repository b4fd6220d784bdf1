-- expect: ok ["integer", 1, 7]
-- SPDX-License-Identifier: Apache-2.0
return math.type(math.random(0)), math.random(1), math.random(7, 7)
