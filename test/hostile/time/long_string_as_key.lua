-- expect: limit time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
-- A long string is hashed whole when it first becomes a key.
local t, i = {}, 0
while true do
    i = i + 1
    local _ = t[("x"):rep(1000000) .. i]
end
