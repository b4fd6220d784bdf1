-- expect: ok ["aaa", 0, "bbb", 3]
-- SPDX-License-Identifier: Apache-2.0
local a, n = ("aaa"):gsub("a", "b", math.mininteger)
local b, m = ("aaa"):gsub("a", "b", math.maxinteger)
return a, n, b, m
