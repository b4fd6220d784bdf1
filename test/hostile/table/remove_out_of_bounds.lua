-- expect: lua "position out of bounds"
-- SPDX-License-Identifier: Apache-2.0
table.remove({1, 2, 3}, 7)
