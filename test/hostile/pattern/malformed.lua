-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local bad = {"[a", "[]", "[^]", "[%", "%", "(()", "(", ")", "%1", "(%1)", "%f", "%fa", "%b", "%bx"}
local n = 0
for _, p in ipairs(bad) do
    if pcall(string.match, "aaaa", p) then n = n + 1 end
end
return n
