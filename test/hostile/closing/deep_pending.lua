-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The stack that holds the pending variables is doubled by one request of the VM.
local closer = setmetatable({}, {__close = function() end})
local function nest()
    local x <close> = closer
    return (nest())
end
nest()
