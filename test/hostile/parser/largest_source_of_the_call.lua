-- expect: ok [7]
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- then: eval
return "local x = 7 --[[" .. ("x"):rep((1 << 20) - 40) .. "]] return x"
