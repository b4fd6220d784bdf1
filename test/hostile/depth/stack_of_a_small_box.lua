-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The VM doubles a stack by one request; whether the soft or the hard cap is met depends on sizes.
local function deeper(n) return 1 + deeper(n + 1) end
deeper(0)
