-- expect: limit time | down time
-- SPDX-License-Identifier: Apache-2.0
-- The table of constants is one of Lua's own; integers that are multiples of 2^17 - 1 fall on one
-- slot when it grows to 2^17.
-- options: memory_bytes=67108864
-- needs: timer
local parts, step = {}, (1 << 17) - 1
for i = 1, (1 << 16) + 100 do parts[i] = i * step end
return load("return {" .. table.concat(parts, ",") .. "}") ~= nil
