-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
-- A coroutine sees the same globals, whoever made it.
return coroutine.wrap(function() return _G == _ENV and _G._G == _G end)()
