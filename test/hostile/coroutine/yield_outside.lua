-- expect: lua "attempt to yield from outside a coroutine"
-- SPDX-License-Identifier: Apache-2.0
coroutine.yield(1)
