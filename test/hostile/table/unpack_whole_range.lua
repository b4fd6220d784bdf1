-- expect: lua "too many results to unpack"
-- SPDX-License-Identifier: Apache-2.0
return table.unpack({}, math.mininteger, math.maxinteger)
