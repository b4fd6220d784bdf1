-- expect: limit reply
-- options: reply_bytes=1000000 memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- Each level of the traceback is as long as the function's name.
local name = ("n"):rep(200000)
load(("function %s(i) if i == 0 then error('e') end %s(i - 1) return 1 end %s(15)")
    :format(name, name, name), "=x", "t", {error = error})()
