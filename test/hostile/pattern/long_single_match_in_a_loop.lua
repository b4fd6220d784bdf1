-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local s = ("a"):rep(2000000)
while true do s:match("a*b?") end
