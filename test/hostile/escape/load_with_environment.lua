-- expect: ok [null, 5, null]
-- SPDX-License-Identifier: Apache-2.0
local environment = {y = 5}
local f = load("x = y return string", "c", "t", environment)
return f(), environment.x, x
