-- expect: lua "bad argument"
-- SPDX-License-Identifier: Apache-2.0
return string.pack(("b"):rep(1000000), 1, 2, 3)
