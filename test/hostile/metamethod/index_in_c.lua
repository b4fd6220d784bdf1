-- expect: ok ["table", 0]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = type})
local u = setmetatable({}, {__index = rawlen})
return t.anything, u.anything
