-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper(s) return (string.gsub(s, ".", deeper)) end
deeper("x")
