-- expect: ok [1000, 1000]
-- SPDX-License-Identifier: Apache-2.0
local opened, closed = 0, 0
local mt = {__close = function() closed = closed + 1 end}
local function run()
    ::again::
    local x <close> = setmetatable({}, mt)
    opened = opened + 1
    if opened < 1000 then goto again end
end
run()
return opened, closed
