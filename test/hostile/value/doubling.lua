-- expect: limit reply
-- SPDX-License-Identifier: Apache-2.0
-- Shared tables: 31 of them are 2^30 leaves to whoever walks without a budget.
local t = {1}
for _ = 1, 30 do t = {t, t} end
return t
