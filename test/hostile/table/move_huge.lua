-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
table.move({}, 1, 1 << 50, 2)
