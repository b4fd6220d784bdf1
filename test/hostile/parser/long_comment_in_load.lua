-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local piece = ("x"):rep(10000)
local n = 0
local f = load(function()
    n = n + 1
    return n == 1 and "--[==[" or n < 20 and piece or n == 20 and "]==] return 1" or nil
end)
return f() == 1
