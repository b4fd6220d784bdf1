-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
table.extra = print
