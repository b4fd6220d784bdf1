-- expect: ok | limit time | limit memory
-- SPDX-License-Identifier: Apache-2.0
-- Where the source cap is met first, load returns its complaint.
local piece = (" "):rep(64)
return load(function() return piece end) == nil
