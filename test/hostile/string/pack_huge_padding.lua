-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
return string.pack("c" .. (1 << 30), "x")
