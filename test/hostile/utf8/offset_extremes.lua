-- expect: ok [false, null, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(utf8.offset, "abc", 1, math.maxinteger)), utf8.offset("abc", math.maxinteger),
    (pcall(utf8.offset, "abc", 1, math.mininteger))
