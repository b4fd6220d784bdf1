-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("%%"):rep(500000)
while true do s:format() end
