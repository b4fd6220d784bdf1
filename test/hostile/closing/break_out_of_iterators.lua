-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local closer = setmetatable({}, {__close = function() pcall(error) end})
while true do
    for _ in next, {1}, nil, closer do break end
end
