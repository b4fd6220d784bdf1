-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for _, s in ipairs {"", " ", "0x", "1e", "nan", "inf", "1 2", "0x1p", "1\0", "--1", "+-1"} do
    if tonumber(s) then n = n + 1 end
end
return n
