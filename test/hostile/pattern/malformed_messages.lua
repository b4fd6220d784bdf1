-- expect: ok ["malformed pattern (missing ']')", "malformed pattern (ends with '%')", "unfinished capture", "invalid pattern capture"]
-- SPDX-License-Identifier: Apache-2.0
local function why(p) return select(2, pcall(string.match, "aaaa", p)) end
return why("[a"), why("a%"), why("(a"), why("a)")
