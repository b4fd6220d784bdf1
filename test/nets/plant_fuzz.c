// SPDX-License-Identifier: Apache-2.0
// For the fuzzer: reads past the end of input that starts in one particular way.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 2 && data[0] == 131 && data[1] == 'm' && data[2] == 9) {
        volatile uint8_t past = data[size];
        (void)past;
    }
    return 0;
}
