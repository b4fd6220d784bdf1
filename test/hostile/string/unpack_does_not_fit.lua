-- expect: lua "does not fit"
-- SPDX-License-Identifier: Apache-2.0
return string.unpack("i16", ("\x7f"):rep(16))
