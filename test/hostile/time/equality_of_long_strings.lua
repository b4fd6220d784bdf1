-- expect: limit time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
local a = ("x"):rep(2000000)
local b = ("x"):rep(1999999) .. "x"
while a == b do end
