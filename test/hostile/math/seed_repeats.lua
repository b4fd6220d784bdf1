-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
math.randomseed(42)
local a = math.random(0)
math.randomseed(42)
return a == math.random(0)
