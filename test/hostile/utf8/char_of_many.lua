-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = function() return 0x7fffffff end})
while true do utf8.char(table.unpack(t, 1, 200)) end
