-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local keep
repeat
    local x = {}
    keep = function() return x end
until not keep()
