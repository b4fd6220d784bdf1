-- expect: lua "too many elements to move"
-- SPDX-License-Identifier: Apache-2.0
table.move({}, math.mininteger, math.maxinteger, 1)
