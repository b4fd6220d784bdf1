-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
-- Equal short strings are one object, which is no secret; where it lies is.
local n = tonumber(("%p"):format(("x"):rep(1000)):match("0x(%x+)") or "0", 16)
return n < 1 << 32
