-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for x = 0, 1, 5e-324 do end
