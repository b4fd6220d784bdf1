-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__mode = "k"})
while true do
    local k = {}
    t[k] = {k}
end
