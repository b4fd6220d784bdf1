-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- What a limit stops stays stopped: nothing after it runs, in whatever call.
local ok = pcall(function()
    local guard <close> = setmetatable({}, {__close = function() violated = true end})
    while true do end
end)
violated = true
