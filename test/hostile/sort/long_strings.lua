-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 200 do t[i] = ("x"):rep(30000) .. i end
while true do table.sort(t) t[1], t[200] = t[200], t[1] end
