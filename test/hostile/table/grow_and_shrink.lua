-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = {}
while true do
    for i = 1, 1000 do t[i] = i t["k" .. i] = i end
    for k in next, t do t[k] = nil end
end
