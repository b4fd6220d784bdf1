-- expect: lua "object length is not an integer"
-- SPDX-License-Identifier: Apache-2.0
table.insert(setmetatable({}, {__len = function() return 1.5 end}), 1)
