-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() string.gsub("x", "x", deeper) end
xpcall(deeper, function() violated = true end)
violated = true
