-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
return (""):rep(1 << 30, "x")
