-- expect: lua "out of limits"
-- SPDX-License-Identifier: Apache-2.0
return string.pack("i17", 1)
