-- expect: lua "'for' step is zero"
-- SPDX-License-Identifier: Apache-2.0
for i = 1, 10, 0 do end
