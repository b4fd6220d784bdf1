-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("1"):rep(1000000)
while true do tonumber(s) end
