-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The VM doubles an array by one request; whether that meets the soft or the hard cap depends on
-- the sizes.
local t, i = {}, 0
while true do
    i = i + 1
    t[i] = i
end
