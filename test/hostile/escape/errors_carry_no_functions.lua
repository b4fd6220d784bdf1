-- expect: lua "error object is a function value"
-- SPDX-License-Identifier: Apache-2.0
error(print)
