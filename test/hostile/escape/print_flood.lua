-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do print(("x"):rep(10000)) end
