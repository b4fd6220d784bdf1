-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local n = tonumber(tostring(setmetatable({}, {__name = "x"})):match("0x(%x+)") or "0", 16)
return n < 1 << 32
