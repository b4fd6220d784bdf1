-- expect: limit time | down time
-- SPDX-License-Identifier: Apache-2.0
-- A full collection of a box this size takes longer than the time that is left.
-- options: memory_bytes=1073741824 time_ms=400
-- needs: timer
local t = {}
for i = 1, 2000000 do t[i] = {i} end
while true do collectgarbage() end
