-- expect: ok [null, "boom"]
-- SPDX-License-Identifier: Apache-2.0
return load(function() error("boom", 0) end)
