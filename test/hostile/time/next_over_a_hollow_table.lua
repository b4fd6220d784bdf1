-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- Each next walks every free slot before it finds that nothing is left.
local t = {}
for i = 1, 20000 do t["k" .. i] = i end
for i = 1, 20000 do t["k" .. i] = nil end
while true do next(t) end
