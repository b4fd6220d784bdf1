-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for _, name in ipairs {"io", "debug", "package", "require", "dofile", "loadfile", "loadstring",
                       "module", "setfenv", "getfenv", "newproxy", "unpack", "bit32", "arg",
                       "jit"} do
    if _G[name] ~= nil then n = n + 1 end
end
return n
