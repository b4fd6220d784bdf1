-- expect: lua "pattern too complex"
-- SPDX-License-Identifier: Apache-2.0
return ("x"):rep(300):match(("x-"):rep(300))
