-- expect: ok [true, true]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
return tostring(t) == ("%s"):format(t), tostring(t) == ("table: %p"):format(t)
