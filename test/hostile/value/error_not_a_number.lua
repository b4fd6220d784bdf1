-- expect: lua "error object is a number value" | lua "nan"
-- SPDX-License-Identifier: Apache-2.0
error(0 / 0)
