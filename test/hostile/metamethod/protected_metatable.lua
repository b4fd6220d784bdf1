-- expect: ok ["mine", false, "cannot change a protected metatable"]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__metatable = "mine"})
return getmetatable(t), pcall(setmetatable, t, {})
