-- expect: ok [true, true, true]
-- SPDX-License-Identifier: Apache-2.0
-- Blocks of memory begin at multiples of 8; what names a value must not show where it lies.
local low, seen, distinct = 0, {}, true
for i = 1, 64 do
    local value = coroutine.wrap(print)
    local text = tostring(value)
    low = low | tonumber(text:match("0x(%x+)"), 16)
    distinct = distinct and not seen[text] and text == tostring(value)
    seen[text] = value
end
return low % 8 ~= 0, distinct, low > 0
