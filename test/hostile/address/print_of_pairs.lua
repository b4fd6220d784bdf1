-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for k, v in pairs(_G) do
    local address = tostring(v):match("0x(%x+)")
    if address and tonumber(address, 16) >= 1 << 32 then n = n + 1 end
end
return n
