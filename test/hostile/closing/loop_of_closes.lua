-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local closer = setmetatable({}, {__close = function() end})
while true do local x <close> = closer end
