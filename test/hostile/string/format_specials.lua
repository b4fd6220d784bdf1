-- expect: ok [false, false, false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local function bad(f, ...) return (pcall(string.format, f, ...)) end
return bad("%"), bad("%y", 1), bad("%d", 1.5), bad("%d", "x"), bad("%c"), bad("%-+ #0099d", 1)
