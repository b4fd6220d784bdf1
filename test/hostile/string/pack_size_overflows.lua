-- expect: lua "too large"
-- SPDX-License-Identifier: Apache-2.0
return string.packsize(("c1000000000 "):rep(10))
