-- expect: ok [false, false, false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local function denied(...) return (pcall(collectgarbage, ...)) end
return denied("stop"), denied("restart"), denied("setpause", 1000), denied("setstepmul", 1),
    denied("generational"), denied("incremental")
