-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The last call's results and the table are one request of the VM each.
local t = {table.unpack({}, 1, 100000)}
local u = {t, table.unpack({}, 1, 200000)}
local v = {u, table.unpack({}, 1, 400000)}
return #v
