-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The VM doubles a hash table by one request.
local t, i = {}, 0
while true do
    i = i + 1
    t["key" .. i] = i
end
