-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    pcall(string.find, ("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40))
    violated = true
end
