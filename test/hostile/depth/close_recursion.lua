-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper()
    local x <close> = setmetatable({}, {__close = deeper})
end
deeper()
