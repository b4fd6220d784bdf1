-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- One concatenation is one request of the VM; beyond the hard cap it ends the box.
local s = "x"
while true do s = s .. s end
