-- expect: limit reply | badterm
-- SPDX-License-Identifier: Apache-2.0
-- The path to what cannot cross is itself larger than the reply may be.
-- options: reply_bytes=65536
local t = print
for i = 1, 50 do t = {[("k"):rep(10000) .. i] = t} end
return t
