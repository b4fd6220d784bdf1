-- expect: limit reply
-- SPDX-License-Identifier: Apache-2.0
local s, t = ("x"):rep(100000), {}
for i = 1, 1000 do t[i] = s end
return t
