-- expect: ok ["mine", "mine", 3, false]
-- SPDX-License-Identifier: Apache-2.0
-- A change holds for the whole call, however long that is, and ends with it.
string.rep = function() return "mine" end
table.extra, math.pi, utf8.len = 1, 3, nil
local t = os.clock()
while os.clock() - t < 0.02 do end
return string.rep("x", 2), ("x"):rep(2), math.pi, table.extra ~= 1 or utf8.len ~= nil
