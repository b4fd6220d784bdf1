-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
return ("%q%q%q%q"):format(("\0"):rep(1000000), ("\n"):rep(1000000), ("\0"):rep(1000000), "")
