-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do os.time({year = 1, month = 1, day = 1, isdst = true}) os.date("*t", -1) end
