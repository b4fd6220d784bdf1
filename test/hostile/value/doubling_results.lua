-- expect: limit reply
-- SPDX-License-Identifier: Apache-2.0
local t = {1}
for _ = 1, 40 do t = {t, t} end
return t, t, t, t
