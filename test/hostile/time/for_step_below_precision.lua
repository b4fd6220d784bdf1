-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- A float loop whose step is lost in rounding never advances.
for x = 2.0 ^ 53, 2.0 ^ 53 + 10, 0.5 do end
