-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local head
for _ = 1, 20 do
    head = nil
    for _ = 1, 20000 do head = {head} end
end
return head ~= nil
