-- expect: ok [true, true, true, "(null)"]
-- SPDX-License-Identifier: Apache-2.0
local function masked(v)
    local n = tonumber(("%p"):format(v):match("0x(%x+)") or "0", 16)
    return n < 1 << 32
end
return masked({}), masked(print), masked("string"), ("%p"):format(1)
