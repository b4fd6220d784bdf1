-- expect: ok [3]
-- SPDX-License-Identifier: Apache-2.0
-- 1 and "1" and true are different keys, and stay so on the way out.
local t = {[1] = "a", ["1"] = "b", [true] = "c"}
local n = 0
for _ in pairs(t) do n = n + 1 end
return n
