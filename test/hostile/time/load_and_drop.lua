-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do load("local a = 1; return function() return a end")() end
