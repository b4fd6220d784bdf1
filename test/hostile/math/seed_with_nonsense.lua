-- expect: ok [false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(math.randomseed, "x")), (pcall(math.randomseed, {}))
