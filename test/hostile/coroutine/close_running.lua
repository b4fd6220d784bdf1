-- expect: lua "cannot close a running coroutine"
-- SPDX-License-Identifier: Apache-2.0
coroutine.close((coroutine.running()))
