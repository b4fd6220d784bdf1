-- expect: ok [true, true, true]
-- SPDX-License-Identifier: Apache-2.0
local s = ("9"):rep(1000000)
return tonumber(s) == math.huge, tonumber("0x" .. ("f"):rep(1000000)) == -1,
    tonumber("0." .. s) == 1.0
