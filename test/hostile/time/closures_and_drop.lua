-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    local a, b = 1, 2
    local f = function() return a + b end
end
