-- expect: limit time
-- options: memory_bytes=1073741824
-- SPDX-License-Identifier: Apache-2.0
while true do ("x"):rep(250000000) end
