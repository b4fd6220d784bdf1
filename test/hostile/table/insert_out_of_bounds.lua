-- expect: ok [false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(table.insert, {}, 2, 1)), (pcall(table.insert, {}, math.mininteger, 1)),
    (pcall(table.insert, {}, 1, 2, 3)), (pcall(table.insert, nil, 1))
