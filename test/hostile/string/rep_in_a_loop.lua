-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do ("x"):rep(2000000) end
