-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__len = function() return 1 << 50 end,
                            __index = function() return "" end})
return table.concat(t)
