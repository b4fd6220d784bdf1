-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local args = {}
for i = 1, 200 do args[i] = "" end
while true do hoard = {hoard, ("%99s"):rep(200):format(table.unpack(args))} end
