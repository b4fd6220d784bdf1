-- expect: ok [true, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(string.unpack, "i4", "xxxx", math.mininteger)),
    (pcall(string.unpack, "i4", "xxxx", math.maxinteger)), (pcall(string.unpack, "i4", "xxx"))
