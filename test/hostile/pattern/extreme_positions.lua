-- expect: ok [null, 1, 4, 0, null]
-- SPDX-License-Identifier: Apache-2.0
local empty = ("abc"):find("", math.maxinteger)
local first = ("abc"):find("a", math.mininteger)
return empty, first, ("abc"):find("", 4), ("abc"):find("x", -1) or 0, ("abc"):match("a", 4)
