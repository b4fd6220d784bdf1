-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 0, 40 do t[1 << i] = true end
while true do local n = #t end
