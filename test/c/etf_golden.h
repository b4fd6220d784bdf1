// SPDX-License-Identifier: Apache-2.0
// Terms as bytes and as events, for the tests of the external term format. The bytes are what
// OTP 25 writes (erlang:term_to_binary), or what its format allows where no option makes it write
// that.
#ifndef TRIPOD_TEST_ETF_GOLDEN_H
#define TRIPOD_TEST_ETF_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct etf_golden {
    const char *bytes;  // hexadecimal, blanks between
    const char *events; // as record.h writes them
    bool canonical;     // etf_writer writes these very bytes
};

static const struct etf_golden etf_goldens[] = {
    {"83 61 00", "0", true},
    {"83 61 ff", "255", true},
    {"83 62 00000100", "256", true},
    {"83 62 ffffffff", "-1", true},
    {"83 62 7fffffff", "2147483647", true},
    {"83 62 80000000", "-2147483648", true},
    {"83 62 00000007", "7", false},
    {"83 6e 04 00 00000080", "2147483648", true},
    {"83 6e 04 01 01000080", "-2147483649", true},
    {"83 6e 05 00 0000000001", "4294967296", true},
    {"83 6e 08 00 ffffffffffffff7f", "9223372036854775807", true},
    {"83 6e 08 01 0000000000000080", "-9223372036854775808", true},
    {"83 6e 01 00 05", "5", false},
    {"83 6e 00 00", "0", false},
    {"83 6e 01 01 00", "0", false},
    {"83 6e 0a 01 02000000000000000000", "-2", false},
    {"83 6f 00000001 01 09", "-9", false},
    {"83 6f 00000009 00 ffffffffffffff7f00", "9223372036854775807", false},
    {"83 46 3ff8000000000000", "0x1.8p+0", true},
    {"83 46 8000000000000000", "-0x0p+0", true},
    {"83 46 0000000000000001", "0x0.0000000000001p-1022", true},
    {"83 46 7fefffffffffffff", "0x1.fffffffffffffp+1023", true},
    {"83 77 02 6f6b", "'ok'", true},
    {"83 77 00", "''", true},
    {"83 77 03 c3a920", "'\\c3a920'", true},
    {"83 77 04 f09f9880", "'\\f09f9880'", true},
    {"83 76 0002 6f6b", "'ok'", false},
    {"83 64 0002 6f6b", "'ok'", false},
    {"83 73 02 6f6b", "'ok'", false},
    {"83 64 0002 e97f", "'\\c3a97f'", false},
    {"83 73 01 ff", "'\\c3bf'", false},
    {"83 6d 00000000", "<>", true},
    {"83 6d 00000003 00ff61", "<00ff61>", true},
    {"83 6a", "[0 ]0", true},
    {"83 6c 00000000 6a", "[0 ]0", false},
    {"83 6b 0000", "[0 ]0", false},
    {"83 6b 0003 0161ff", "[3 1 97 255 ]3", false},
    {"83 6c 00000002 61 01 77 01 61 6a", "[2 1 'a' ]2", true},
    {"83 68 00", "(0 )0", true},
    {"83 69 00000000", "(0 )0", false},
    {"83 68 02 77 02 6f6b 6a", "(2 'ok' [0 ]0 )2", true},
    {"83 69 00000001 61 05", "(1 5 )1", false},
    {"83 74 00000000", "#0 #0", true},
    {"83 74 00000002 61 01 6d 00000001 62 68 00 6a", "#2 1 <62> (0 )0 [0 ]0 #2", true},
    {"83 68 02 68 01 68 01 61 01 6c 00000001 74 00000001 61 02 61 03 6a",
     "(2 (1 (1 1 )1 )1 [1 #1 2 3 #1 ]1 )2", true},
};

#define ETF_GOLDENS (sizeof etf_goldens / sizeof etf_goldens[0])

// Reads hexadecimal into a block of exactly that size, to be freed by the caller.
static inline uint8_t *etf_unhex(const char *text, size_t *length) {
    char digits[4096];
    size_t n = 0;
    for (; *text != '\0'; text++)
        if (*text != ' ')
            digits[n++] = *text;
    uint8_t *bytes = malloc(n / 2 + 1);
    if (bytes == NULL)
        abort();
    for (size_t i = 0; i < n / 2; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    *length = n / 2;
    return bytes;
}

#endif
