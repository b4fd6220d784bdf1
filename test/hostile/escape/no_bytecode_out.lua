-- expect: ok [null]
-- SPDX-License-Identifier: Apache-2.0
return string.dump
