-- expect: badterm
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 300 do t = {t} end
return t
