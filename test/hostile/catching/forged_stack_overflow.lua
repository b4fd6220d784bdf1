-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
-- The VM's own wording is taken for the VM's own error; nothing is gained by forging it.
pcall(error, "stack overflow")
