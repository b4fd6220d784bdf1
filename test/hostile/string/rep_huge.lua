-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
return ("x"):rep(10000000000)
