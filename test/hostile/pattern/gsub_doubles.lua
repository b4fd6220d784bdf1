-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local s = "x"
while true do s = s:gsub(".+", "%0%0") end
