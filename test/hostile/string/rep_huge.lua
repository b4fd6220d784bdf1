-- expect: limit memory | lua "resulting string too large"
-- SPDX-License-Identifier: Apache-2.0
-- Stock Lua refuses results beyond 2 GiB with this error.
return ("x"):rep(10000000000)
