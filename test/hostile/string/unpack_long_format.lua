-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local f, s = ("x"):rep(1000000), ("x"):rep(1000000)
while true do string.unpack(f, s) end
