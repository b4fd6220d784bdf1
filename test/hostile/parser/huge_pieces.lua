-- expect: ok | limit memory
-- SPDX-License-Identifier: Apache-2.0
-- Where the source cap is met first, load returns its complaint.
local piece = ("x "):rep(500000)
return load(function() return piece end) == nil
