-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("x =", ("n"):rep(1000000))
return f, #why < 200
