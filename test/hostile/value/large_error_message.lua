-- expect: limit reply
-- options: reply_bytes=65536
-- SPDX-License-Identifier: Apache-2.0
error(("x"):rep(1000000))
