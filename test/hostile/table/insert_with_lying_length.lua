-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
table.insert(setmetatable({}, {__len = function() return 1 << 50 end}), 1, "x")
