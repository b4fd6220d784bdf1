-- expect: ok [false, "no stack overflow here"]
-- SPDX-License-Identifier: Apache-2.0
return pcall(error, "no stack overflow here", 0)
