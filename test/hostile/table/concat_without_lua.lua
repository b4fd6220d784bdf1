-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
-- Every element comes from a C function: no instruction is executed meanwhile.
local t = setmetatable({}, {__len = function() return 1 << 50 end, __index = rawlen})
return table.concat(t)
