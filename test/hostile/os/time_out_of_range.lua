-- expect: ok [false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local function bad(t) return (pcall(os.time, t)) end
return bad {}, bad {year = 1 << 40, month = 1, day = 1}, bad {year = 2000, month = "x", day = 1},
    bad {year = 2000, month = 1, day = 1.5}
