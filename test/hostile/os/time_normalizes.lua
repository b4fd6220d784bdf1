-- expect: ok [2001, 2]
-- SPDX-License-Identifier: Apache-2.0
local t = {year = 2000, month = 13, day = 32, hour = 12}
os.time(t)
return t.year, t.month
