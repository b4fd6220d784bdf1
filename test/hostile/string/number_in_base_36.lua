-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("z"):rep(1000000)
while true do tonumber(s, 36) end
