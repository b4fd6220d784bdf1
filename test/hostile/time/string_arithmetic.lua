-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local n = ("1"):rep(300)
while true do local x = n + n end
