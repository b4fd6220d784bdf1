-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local s = ("x"):rep(3000000)
return s:upper() .. s:lower()
