-- expect: ok [1, 2, 3]
-- SPDX-License-Identifier: Apache-2.0
local function f()
    local x <close> = setmetatable({}, {__close = function() return 4, 5, 6 end})
    return 1, 2, 3
end
return f()
