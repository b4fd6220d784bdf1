-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = table.concat, __len = function() return 1 end})
return t[1]
