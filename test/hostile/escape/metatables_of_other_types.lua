-- expect: ok [null, null, null, null, null]
-- SPDX-License-Identifier: Apache-2.0
return getmetatable(print), getmetatable(1), getmetatable(true), getmetatable(coroutine.running()),
    getmetatable(nil)
