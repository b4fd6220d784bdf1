-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    load(function() while true do pcall(error) end end)
    violated = true
end
