-- expect: ok [{"base64": "/wD+gA=="}]
-- SPDX-License-Identifier: Apache-2.0
return "\xff\0\xfe\x80"
