-- expect: ok [4] | limit time | down time
-- options: memory_bytes=67108864 time_ms=20000
-- SPDX-License-Identifier: Apache-2.0
-- For its message Lua looks for the name of what was indexed, before 5.4.7 by recursion.
local a, n = {}, 0
a.b = a
for _, length in ipairs {100, 1000, 10000, 30000} do
    local f = load("local a = ... return a" .. (".b"):rep(length) .. ".c.d")
    local ok, message = pcall(f, a)
    if not ok and message:find("(field 'c')", 1, true) then n = n + 1 end
end
return n
