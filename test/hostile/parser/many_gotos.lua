-- expect: limit time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
local parts = {"do "}
for i = 1, 30000 do parts[#parts + 1] = ("goto a%x "):format(i) end
for i = 1, 30000 do parts[#parts + 1] = ("::b%x::"):format(i) end
parts[#parts + 1] = " end"
while true do load(table.concat(parts)) end
