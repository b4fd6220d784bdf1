-- expect: ok [null, null, "closed"]
-- SPDX-License-Identifier: Apache-2.0
local log
local setmetatable = setmetatable
local function run()
    local _ENV <close> = setmetatable({}, {__close = function(environment) log = environment.x end})
    x = "closed"
    return print
end
return run(), x, log
