-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head
while true do
    local a, b, c, d, e = 1, 2, 3, 4, 5
    head = {head, function() return a, b, c, d, e end}
end
