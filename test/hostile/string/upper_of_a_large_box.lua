-- expect: limit time | down time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
-- options: memory_bytes=536870912
local s = ("x"):rep(100000000)
while true do s = s:upper():lower():reverse() end
