-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 100000 do t[i] = 1e300 / 3 end
local s = table.concat(t, ("x"):rep(100))
return s
