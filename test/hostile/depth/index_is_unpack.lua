-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = table.unpack, __len = function() return 1 end})
return t[1]
