-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- Blocks of many sizes, every other one dropped: what is taken can reach the hard cap while what is
-- live is far from the soft one.
local keep, i = {}, 0
while true do
    i = i + 1
    local s = ("x"):rep(i * 37 % 5000) .. i
    keep[i % 4096] = i % 2 == 0 and s or nil
    if i % 7 == 0 then hoard = {hoard, s} end
end
