-- expect: ok [false, "", ""]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(table.concat, {}, "", math.maxinteger, math.maxinteger)), table.concat({}, "", 1, 0),
    table.concat({}, "x", math.maxinteger, math.mininteger)
