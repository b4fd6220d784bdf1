-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The stack for this many values is one request of the VM, beyond the hard cap.
return #{table.unpack({}, 1, 900000)}
