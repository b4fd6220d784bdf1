-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("x = = " .. ("y"):rep(500000))
return f, #why < 200
