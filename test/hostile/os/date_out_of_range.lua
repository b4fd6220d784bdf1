-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(os.date, "*t", math.maxinteger)), (pcall(os.date, "!%c", math.mininteger)),
    (pcall(os.date, "%c", 1e300))
