-- expect: lua "attempt to index"
-- SPDX-License-Identifier: Apache-2.0
return load("return x", "c", "t", nil)()
