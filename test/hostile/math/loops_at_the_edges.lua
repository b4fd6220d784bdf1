-- expect: ok [1, 1, 3, 0, 2]
-- SPDX-License-Identifier: Apache-2.0
local function loop(a, b, c)
    local n = 0
    for _ = a, b, c do n = n + 1 end
    return n
end
local min, max = math.mininteger, math.maxinteger
return loop(max, max, 1), loop(min, min, -1), loop(min, max, max), loop(max, min, 1),
    loop(1, 2, 1)
