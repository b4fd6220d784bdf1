-- expect: lua "too many results to unpack"
-- SPDX-License-Identifier: Apache-2.0
return table.unpack({}, 1, 100000000)
