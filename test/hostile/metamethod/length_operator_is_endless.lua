-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return #setmetatable({}, {__len = function() while true do end end})
