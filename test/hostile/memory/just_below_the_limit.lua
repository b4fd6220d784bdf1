-- expect: ok [7000000]
-- SPDX-License-Identifier: Apache-2.0
return #("x"):rep(7000000 // 2) * 2
