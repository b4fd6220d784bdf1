-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The VM doubles the destination by one request.
table.move(setmetatable({}, {__index = rawlen}), 1, 1 << 50, 1, {})
