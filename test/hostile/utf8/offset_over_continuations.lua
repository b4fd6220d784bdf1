-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("\x80"):rep(1000000)
while true do utf8.offset(s, 0, 500000) end
