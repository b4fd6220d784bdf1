-- expect: limit time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
local s = "0." .. ("1"):rep(1000000)
while true do local _ = s * 2 end
