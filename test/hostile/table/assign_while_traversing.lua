-- expect: ok | lua "invalid key to 'next'" | limit memory | down memory | limit time
-- SPDX-License-Identifier: Apache-2.0
-- The manual leaves open what happens; the box must survive it.
local t = {1, 2, 3, a = 1, b = 2}
for k, v in pairs(t) do t[tostring(k) .. "x"] = v end
