-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = function() return "" end})
return table.concat(t, ("x"):rep(1000), 1, 1 << 40)
