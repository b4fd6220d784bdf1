-- expect: limit reply
-- options: reply_bytes=1048576
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 190 do t = {t, t} end
return t
