-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The error leaves the script; its __close runs while the call is already failing.
local x <close> = setmetatable({}, {__close = function() while true do end end})
error("leaving")
