-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- Elements and comparator are C functions: no instruction is executed meanwhile.
local t = setmetatable({}, {__len = function() return (1 << 31) - 2 end, __index = rawlen,
                            __newindex = rawequal})
table.sort(t, math.ult)
