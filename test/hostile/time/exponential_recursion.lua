-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
return fib(80)
