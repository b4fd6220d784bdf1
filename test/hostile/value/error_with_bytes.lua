-- expect: lua ""
-- SPDX-License-Identifier: Apache-2.0
error("\xff\0\xfe", 0)
