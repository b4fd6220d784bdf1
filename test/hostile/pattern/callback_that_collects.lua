-- expect: ok [1000]
-- SPDX-License-Identifier: Apache-2.0
local s = ("ab"):rep(1000)
local n = 0
s:gsub("(a)(b)", function(a, b)
    if n % 100 == 0 then collectgarbage() end
    n = n + 1
end)
return n
