-- expect: limit reply
-- options: print=owner reply_bytes=65536
-- SPDX-License-Identifier: Apache-2.0
while true do print() end
