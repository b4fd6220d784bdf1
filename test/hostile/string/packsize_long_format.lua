-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local f = ("i1"):rep(400000)
while true do string.packsize(f) end
