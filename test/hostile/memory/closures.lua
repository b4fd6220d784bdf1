-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local f = print
while true do
    local g = f
    f = function() return g end
end
