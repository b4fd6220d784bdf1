-- expect: ok [1]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
local f = load(function()
    n = n + 1
    return n == 1 and "return " .. load("return 1")() or nil
end)
return f()
