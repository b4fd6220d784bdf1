-- expect: limit time
-- options: memory_bytes=268435456
-- SPDX-License-Identifier: Apache-2.0
return os.date(("%c"):rep(3000000))
