-- expect: limit time | down time | ok
-- SPDX-License-Identifier: Apache-2.0
-- Each label is compared with all before it: half a second for a source of this size.
-- options: memory_bytes=67108864
local parts = {}
for f = 1, 3 do
    parts[#parts + 1] = "do local function f() "
    for i = 1, 32000 do parts[#parts + 1] = ("::a%x::"):format(i) end
    parts[#parts + 1] = " end end "
end
while true do load(table.concat(parts)) end
