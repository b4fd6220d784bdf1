-- expect: limit reply
-- options: memory_bytes=67108864 reply_bytes=65536
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 100000 do t[i] = i end
return t
