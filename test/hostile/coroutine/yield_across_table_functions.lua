-- expect: ok [false, false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = coroutine.yield, __newindex = coroutine.yield,
                            __len = coroutine.yield})
local function try(f, ...) return (coroutine.resume(coroutine.create(f), ...)) end
return try(table.concat, t, "", 1, 1), try(table.unpack, t, 1, 1), try(table.insert, t, 1),
    try(table.move, t, 1, 1, 2), try(table.remove, t)
