-- expect: ok | limit time | limit memory
-- SPDX-License-Identifier: Apache-2.0
-- Where the source cap is met first, load returns its complaint.
return load(function() return " " end) == nil
