-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
warn("@on")
while true do warn("x", "y") end
