-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for i = math.mininteger, math.maxinteger do end
