-- expect: ok
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 50000 do t[i] = i end
return table.unpack(t)
