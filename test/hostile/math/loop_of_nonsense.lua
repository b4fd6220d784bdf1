-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local function loop(a, b, c) for i = a, b, c do end end
return (pcall(loop, "x", 1, 1)), (pcall(loop, 1, {}, 1)), (pcall(loop, 1, 1, "y"))
