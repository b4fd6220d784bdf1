-- expect: badterm
-- SPDX-License-Identifier: Apache-2.0
local first = {}
local t = first
for _ = 1, 50 do t.next = {} t = t.next end
t.next = first
return first
