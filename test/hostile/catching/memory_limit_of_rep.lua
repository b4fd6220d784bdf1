-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
while true do
    pcall(string.rep, "x", 1 << 30)
    violated = true
end
