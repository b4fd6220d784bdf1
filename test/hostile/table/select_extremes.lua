-- expect: ok [false, false, 1, 0]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(select, 0)), (pcall(select, -2, 1)), select("#", select(-1, 1, 2)),
    select("#", select(math.maxinteger, 1))
