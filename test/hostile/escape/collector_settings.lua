-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- Whatever is asked of the collector, garbage must not become a memory limit.
for _, setting in ipairs {"stop", "generational", "incremental", "setpause", "setstepmul"} do
    pcall(collectgarbage, setting, 1000000, 1000000)
end
pcall(collectgarbage, "stop")
while true do local t = {{}, {}} end
