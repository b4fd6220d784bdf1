-- expect: ok ["abc", "", "", "abc", "c"]
-- SPDX-License-Identifier: Apache-2.0
local s, min, max = "abc", math.mininteger, math.maxinteger
return s:sub(min, max), s:sub(max, min), s:sub(max), s:sub(min), s:sub(-1, max)
