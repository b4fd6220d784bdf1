-- expect: ok [false, false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(coroutine.resume, 1)), (pcall(coroutine.status, {})), (pcall(coroutine.close, "x")),
    (pcall(coroutine.create, 1)), (pcall(coroutine.wrap))
