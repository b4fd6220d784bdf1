-- expect: lua "power of 2"
-- SPDX-License-Identifier: Apache-2.0
return string.pack("!3 i3", 1) .. string.pack("!4 Xi3")
