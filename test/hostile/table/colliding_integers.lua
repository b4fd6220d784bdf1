-- expect: limit time | down time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- needs: timer
-- Harmless until the table grows to 2^17 slots: then all keys fall on one, inside one instruction.
local t, step = {}, (1 << 17) - 1
for i = 1, (1 << 16) + 1 do t[i * step] = true end
