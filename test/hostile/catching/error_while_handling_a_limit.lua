-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local function again() return xpcall(again, again) end
xpcall(function() while true do end end, again)
violated = true
