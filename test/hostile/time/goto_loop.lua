-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
::again::
goto again
