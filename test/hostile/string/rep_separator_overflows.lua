-- expect: lua "resulting string too large"
-- SPDX-License-Identifier: Apache-2.0
return ("x"):rep(math.maxinteger, ("y"):rep(100))
