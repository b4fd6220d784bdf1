-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
os.time(setmetatable({}, {__index = function() while true do end end}))
