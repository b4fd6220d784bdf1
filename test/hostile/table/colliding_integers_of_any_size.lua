-- expect: limit time | down time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- needs: timer
local t, step = {}, 0
-- A multiple of 2^k - 1 for every k up to 20.
step = 1
for k = 2, 20 do
    local a, b = step, (1 << k) - 1
    while b ~= 0 do a, b = b, a % b end
    if step // a > (1 << 40) then break end
    step = step // a * ((1 << k) - 1)
end
for i = 1, 1 << 20 do t[i * step] = true end
