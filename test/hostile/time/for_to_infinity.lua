-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for i = 1, math.huge do end
