-- expect: ok [null, 1]
-- SPDX-License-Identifier: Apache-2.0
local max = math.maxinteger
return table.unpack({}, max, max), select("#", table.unpack({}, max, max))
