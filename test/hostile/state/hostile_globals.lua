-- expect: limit time
-- after: reset
-- SPDX-License-Identifier: Apache-2.0
setmetatable(_G, {__index = function() while true do end end})
return missing
