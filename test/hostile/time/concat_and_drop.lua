-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local i = 0
while true do
    i = i + 1
    local s = i .. "x" .. i .. "y" .. i
end
