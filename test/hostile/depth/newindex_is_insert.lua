-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__newindex = table.insert})
t[1] = 2
violated = true
