-- expect: ok [true, true, true]
-- SPDX-License-Identifier: Apache-2.0
local function masked(v)
    local n = tonumber(tostring(v):match("0x(%x+)") or "0", 16)
    return n < 1 << 32
end
return masked(print), masked(function() end), masked(string.rep)
