-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do tostring({}) tostring(1.5) tonumber("0x1p4") end
