-- expect: ok
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 50000 do t[i] = i end
for i = 2, 50000, 2 do t[i] = nil end
return t
