-- expect: ok [true, true, true, true]
-- SPDX-License-Identifier: Apache-2.0
return tonumber("1e" .. ("9"):rep(1000)) == math.huge, tonumber("1e-" .. ("9"):rep(1000)) == 0,
    tonumber("0x1p" .. ("9"):rep(1000)) == math.huge, tonumber("1e" .. ("0"):rep(100000)) == 1
