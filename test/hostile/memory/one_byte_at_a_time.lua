-- expect: limit memory | limit time
-- options: memory_bytes=262144
-- SPDX-License-Identifier: Apache-2.0
-- Slow growth of one string; on a slow machine the time is over first.
local s = ""
while true do s = s .. "x" end
