-- expect: ok ["a", "b", "c", null]
-- SPDX-License-Identifier: Apache-2.0
local it = ("abc"):gmatch(".")
local function take() return (coroutine.wrap(function() return it() end)()) end
return take(), take(), take(), take()
