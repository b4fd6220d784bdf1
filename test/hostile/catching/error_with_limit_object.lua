-- expect: lua "error object is a nil value"
-- SPDX-License-Identifier: Apache-2.0
-- A stop inside C leaves through a nil error; raising one oneself is nothing special.
error(nil)
