-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(function() return 2.0 ^ 63 | 0 end)), (pcall(function() return "1.5" | 0 end)),
    (pcall(string.rep, "x", 1.5))
