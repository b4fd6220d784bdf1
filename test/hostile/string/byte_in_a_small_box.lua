-- expect: limit memory | down memory | limit depth
-- SPDX-License-Identifier: Apache-2.0
-- Half a million stack slots are one request of the VM: 8 MB.
return ("x"):rep(500000):byte(1, -1)
