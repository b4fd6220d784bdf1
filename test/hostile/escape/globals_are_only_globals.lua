-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
-- Nothing on the list of globals is a table but the libraries and _G itself.
local known = {string = 1, table = 1, math = 1, utf8 = 1, os = 1, coroutine = 1, _G = 1,
               kept = 1}
local n = 0
for k, v in pairs(_G) do
    if type(v) == "table" and not known[k] or type(v) == "userdata" then n = n + 1 end
end
return n
