-- expect: ok ["[[[x]]]", 1]
-- SPDX-License-Identifier: Apache-2.0
local function wrap(n)
    return (("x"):gsub(".", function(c) return n == 0 and c or "[" .. wrap(n - 1) .. "]" end))
end
return wrap(3), 1
