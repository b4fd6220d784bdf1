-- expect: limit reply
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 190 do t = {t, t} end
return t
