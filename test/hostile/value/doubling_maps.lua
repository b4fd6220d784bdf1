-- expect: limit reply
-- SPDX-License-Identifier: Apache-2.0
local t = {x = 1}
for _ = 1, 60 do t = {a = t, b = t, c = t} end
return t
