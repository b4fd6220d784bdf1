-- expect: ok [false, "x"]
-- SPDX-License-Identifier: Apache-2.0
return pcall(error, "x", math.maxinteger)
