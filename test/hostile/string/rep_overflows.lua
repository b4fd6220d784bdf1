-- expect: lua "resulting string too large"
-- SPDX-License-Identifier: Apache-2.0
return ("xx"):rep(math.maxinteger)
