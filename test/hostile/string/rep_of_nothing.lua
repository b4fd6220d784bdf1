-- expect: ok [""]
-- SPDX-License-Identifier: Apache-2.0
return (""):rep(10000000000)
