-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
-- A C function of the library as its own metamethod: no instruction of Lua in between.
local t = setmetatable({}, {__call = pcall})
t()
violated = true
