-- expect: lua "array too big"
-- SPDX-License-Identifier: Apache-2.0
table.sort(setmetatable({}, {__len = function() return 1 << 40 end}))
