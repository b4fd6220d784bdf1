-- expect: lua "attempt to index"
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__name = ("n"):rep(100000), __index = error})
local _ = -(nil)[t]
