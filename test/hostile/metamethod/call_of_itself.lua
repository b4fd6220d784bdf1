-- expect: limit time | down time
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- needs: timer
-- The VM looks for something callable in one loop, which moves all arguments up in each round: the
-- square of the stack's size, and no instruction is executed meanwhile.
local t = {}
setmetatable(t, {__call = t})
t()
