-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do ("%d"):rep(200):format(table.unpack(setmetatable({}, {__index = rawlen}), 1, 200)) end
