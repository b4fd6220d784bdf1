-- expect: limit reply
-- options: memory_bytes=67108864 reply_bytes=65536
-- SPDX-License-Identifier: Apache-2.0
return ("x"):rep(70000)
