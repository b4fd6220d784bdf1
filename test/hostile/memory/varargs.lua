-- expect: limit memory | down memory | limit depth
-- SPDX-License-Identifier: Apache-2.0
-- Each frame keeps its arguments; the stack is doubled by one request of the VM.
local function deeper(...) return deeper(1, 2, 3, 4, 5, 6, 7, 8, ...), 1 end
deeper()
