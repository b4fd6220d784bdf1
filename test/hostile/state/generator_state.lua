-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
math.randomseed(1)
return math.random(0) ~= math.random(0)
