-- expect: lua "function expected"
-- SPDX-License-Identifier: Apache-2.0
table.sort({2, 1}, 42)
