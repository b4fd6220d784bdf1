-- expect: ok [0]
-- after: reset
-- SPDX-License-Identifier: Apache-2.0
-- A table that happens to lie where a library's table lay is an ordinary one.
string, table, math, utf8, os = nil
collectgarbage()
local n = 0
for i = 1, 1000 do
    local t = {}
    if not pcall(rawset, t, "x", 1) or t.x ~= 1 then n = n + 1 end
end
return n
