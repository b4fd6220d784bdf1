-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The VM finds the name of a variable for its error message by executing the function symbolically.
local source = {"local t = nil\n"}
for i = 1, 20000 do source[#source + 1] = "do local a = 1 end\n" end
source[#source + 1] = "return t.x"
local f = load(table.concat(source))
while true do pcall(f) end
