-- expect: ok [false, null]
-- SPDX-License-Identifier: Apache-2.0
return pcall(error, nil)
