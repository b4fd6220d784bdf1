-- expect: lua "data string too short"
-- SPDX-License-Identifier: Apache-2.0
return string.unpack("s8", ("\xff"):rep(8) .. "x")
