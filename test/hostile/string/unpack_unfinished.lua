-- expect: lua "unfinished string"
-- SPDX-License-Identifier: Apache-2.0
return string.unpack("z", "abc")
