-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("("):rep(1000000):find("%b()")
