-- expect: ok ["mine", "xx"]
-- SPDX-License-Identifier: Apache-2.0
local mine = setmetatable({upper = function() return "mine" end}, {__index = string})
return mine.upper("x"), mine.rep("x", 2)
