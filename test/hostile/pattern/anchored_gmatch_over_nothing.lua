-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do for _ in (""):gmatch("") do end end
