-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
while true do hoard = {hoard} end
