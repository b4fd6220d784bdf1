-- expect: lua "no value"
-- SPDX-License-Identifier: Apache-2.0
return ("%d"):rep(100000):format(1)
