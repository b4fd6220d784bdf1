-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__mode = "v"})
local i = 0
while true do
    i = i + 1
    t[i % 1000] = {}
end
