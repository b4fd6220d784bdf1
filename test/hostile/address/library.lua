-- expect: ok [true, true]
-- SPDX-License-Identifier: Apache-2.0
-- Compilers let functions begin at multiples of 16.
local low, n = 0, 0
for _, library in ipairs {_G, string, table, math, utf8, os, coroutine} do
    for _, value in pairs(library) do
        if type(value) == "function" then
            low = low | tonumber(tostring(value):match("0x(%x+)"), 16)
            n = n + 1
        end
    end
end
return low % 16 ~= 0, n > 70
