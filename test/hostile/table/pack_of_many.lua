-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- Arguments and table are one request of the VM each.
hoard = {}
while true do hoard[#hoard + 1] = table.pack(table.unpack({}, 1, 100000)) end
