-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = pcall, __call = function(self, key) return self[key] end})
local _ = t.x
violated = true
