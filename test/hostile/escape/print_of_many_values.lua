-- expect: limit reply | limit memory | limit depth | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The line is made of as many values as the stack holds, or it is not made at all.
-- options: print=owner reply_bytes=1000000
local t = setmetatable({}, {__index = function() return ("x"):rep(1000) end})
print(table.unpack(t, 1, 100000))
