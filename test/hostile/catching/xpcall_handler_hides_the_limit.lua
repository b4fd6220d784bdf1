-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
xpcall(function() while true do end end, function() violated = true return "fine" end)
violated = true
