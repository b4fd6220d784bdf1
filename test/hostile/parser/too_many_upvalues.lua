-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local parts = {}
for block = 1, 2 do
    for i = 1, 150 do parts[#parts + 1] = ("local v%d_%d = 1\n"):format(block, i) end
    parts[#parts + 1] = "local function f" .. block .. "()\n"
end
parts[#parts + 1] = "return function() return 0"
for block = 1, 2 do
    for i = 1, 150 do parts[#parts + 1] = (" + v%d_%d"):format(block, i) end
end
parts[#parts + 1] = " end end end"
return load(table.concat(parts)) == nil
