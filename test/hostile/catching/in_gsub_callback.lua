-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    pcall(string.gsub, "x", "x", function() while true do pcall(error) end end)
    violated = true
end
