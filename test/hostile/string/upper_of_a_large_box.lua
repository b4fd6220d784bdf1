-- expect: limit time
-- options: memory_bytes=536870912
-- SPDX-License-Identifier: Apache-2.0
local s = ("x"):rep(100000000)
while true do s = s:upper():lower():reverse() end
