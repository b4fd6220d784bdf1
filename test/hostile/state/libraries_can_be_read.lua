-- expect: ok [true, true, true, 0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for k, v in pairs(string) do n = n + 1 end
local raw = rawget(table, "concat")
local f, t, k = pairs(math)
return n >= 15, f(t, k) ~= nil, raw == table.concat or raw == nil, #string
