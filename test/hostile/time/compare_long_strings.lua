-- expect: limit time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
local a = ("x"):rep(1000000) .. "a"
local b = ("x"):rep(1000000) .. "b"
while a < b do end
