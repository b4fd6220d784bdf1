-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local mt = getmetatable(string)
if type(mt) ~= "table" then return true end
return not pcall(function() mt.__index = {} end) and not pcall(rawset, mt, "__index", {})
