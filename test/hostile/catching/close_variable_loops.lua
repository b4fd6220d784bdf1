-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
do
    local x <close> = setmetatable({}, {__close = function() while true do end end})
end
violated = true
