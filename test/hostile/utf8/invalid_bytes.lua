-- expect: ok [null, 1, false, false]
-- SPDX-License-Identifier: Apache-2.0
local n, at = utf8.len("\xff")
local function walk() for _ in utf8.codes("\xff") do end end
return n, at, (pcall(utf8.codepoint, "\xff")), (pcall(walk))
