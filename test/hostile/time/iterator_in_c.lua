-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The iterator is a C function: the only Lua instructions are those of the loop itself.
for _ in math.abs, -1, -1 do end
