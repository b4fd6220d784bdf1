-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local locals = ("local function f() return f end "):rep(199)
return load(locals .. ("function g() end "):rep(20000)) ~= nil
