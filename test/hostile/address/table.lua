-- expect: ok [true, true]
-- SPDX-License-Identifier: Apache-2.0
-- Real addresses of the heap lie beyond 4 GiB on every 64-bit system.
local a, b = {}, {}
local function masked(v)
    local n = tonumber(tostring(v):match("0x(%x+)") or "0", 16)
    return n < 1 << 32
end
return masked(a) and masked(b), tostring(a) ~= tostring(b) and tostring(a) == tostring(a)
