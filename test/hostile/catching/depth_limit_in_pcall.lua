-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() string.gsub("x", "x", deeper) end
while true do
    pcall(deeper)
    violated = true
end
