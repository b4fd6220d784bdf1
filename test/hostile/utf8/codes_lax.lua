-- expect: ok [2147483647, 2097152, 55296, false, false, false, null, 1, null, 1]
-- SPDX-License-Identifier: Apache-2.0
local largest, beyond, surrogate = "\u{7FFFFFFF}", "\u{200000}", "\xED\xA0\x80"
local seen = {}
for _, code in utf8.codes(largest .. beyond .. surrogate, true) do seen[#seen + 1] = code end
local function strict(s) return (pcall(function() for _ in utf8.codes(s) do end end)) end
local overlong, at = utf8.len("\xF0\x80\x80\x80", 1, -1, true)
local seven, there = utf8.len("\xFE\x80\x80\x80\x80\x80\x80", 1, -1, true)
return seen[1], seen[2], seen[3], strict(largest), strict(beyond), strict(surrogate), overlong, at,
    seven, there
