-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for _, name in ipairs {"execute", "exit", "getenv", "remove", "rename", "setlocale", "tmpname"} do
    if os[name] ~= nil then n = n + 1 end
end
return n
