-- expect: lua "attempt to compare"
-- SPDX-License-Identifier: Apache-2.0
table.sort({1, "x", {}, true, 2.5})
