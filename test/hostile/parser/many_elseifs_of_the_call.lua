-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The same as a source that the host compiles.
-- options: memory_bytes=67108864
-- then: eval
return "if x then " .. ("elseif x then "):rep(74000) .. "end while true do end"
