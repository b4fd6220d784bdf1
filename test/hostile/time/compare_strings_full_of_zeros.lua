-- expect: limit time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
-- The VM compares piece by piece between the zeros.
local a = ("\0"):rep(1000000) .. "a"
local b = ("\0"):rep(1000000) .. "b"
while a < b do end
