-- expect: ok [3, 3, "\u0000", 2]
-- SPDX-License-Identifier: Apache-2.0
local from, to = ("a\0\0b"):find("\0", 3)
return from, to, ("a\0"):match("%z"), select(2, ("a\0b\0"):gsub("\0", ""))
