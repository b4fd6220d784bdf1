-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local from = setmetatable({}, {__index = rawlen})
local to = setmetatable({}, {__newindex = rawequal})
table.move(from, 1, 1 << 50, 1, to)
