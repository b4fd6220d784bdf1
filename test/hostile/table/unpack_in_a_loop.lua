-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = rawlen})
while true do select("#", table.unpack(t, 1, 50000)) end
