-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local closer = setmetatable({}, {__close = function() end})
::again::
do
    local x <close> = closer
    goto again
end
