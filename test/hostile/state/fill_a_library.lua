-- expect: lua "too many entries in library tables"
-- SPDX-License-Identifier: Apache-2.0
-- The next call must not pay for emptying a table of millions.
for i = 1, 1e7 do os[i] = i end
