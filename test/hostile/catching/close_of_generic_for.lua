-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local closer = setmetatable({}, {__close = function() while true do end end})
for _ in next, {1}, nil, closer do break end
violated = true
