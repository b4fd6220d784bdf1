-- expect: lua "destination wrap around"
-- SPDX-License-Identifier: Apache-2.0
table.move({}, 1, 10, math.maxinteger)
