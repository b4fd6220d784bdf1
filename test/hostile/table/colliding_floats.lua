-- expect: limit time | down time
-- SPDX-License-Identifier: Apache-2.0
-- The hash of a float leaves out the low bits of its mantissa: all of these share one.
-- options: memory_bytes=67108864
-- needs: timer
local t = {}
for i = 1, 1 << 20 do t[1 + i * 2.0 ^ -52] = true end
