-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local function turn(...) return turn(select(2, ...), ...) end
local function loop(...) while true do local n = select("#", ...) end end
loop(table.unpack({}, 1, 240))
