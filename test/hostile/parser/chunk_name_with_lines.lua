-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("x =", "a\nb\0c")
return f, #why < 200
