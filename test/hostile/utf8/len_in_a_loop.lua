-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("\u{10ffff}"):rep(500000)
while true do utf8.len(s) end
