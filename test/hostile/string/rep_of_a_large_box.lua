-- expect: limit time | down time
-- needs: timer
-- SPDX-License-Identifier: Apache-2.0
-- options: memory_bytes=1073741824
while true do ("x"):rep(250000000) end
