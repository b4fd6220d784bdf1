-- expect: lua "metamethod 'close'"
-- SPDX-License-Identifier: Apache-2.0
local mt = {__close = function() end}
do
    local x <close> = setmetatable({}, mt)
    mt.__close = nil
end
