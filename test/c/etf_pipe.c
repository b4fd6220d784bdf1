// SPDX-License-Identifier: Apache-2.0
// Reader into writer as a program, so that a property in Erlang can compare with term_to_binary.
// Wire, both ways: a 4-byte big-endian length, then that many bytes. Request: one external term.
// Reply: the term as the writer wrote it, or, where the walk was refused, one byte: minus the code
// (no term is that short). Leaves at end of file.
#include "etf.h"

#include "test_host.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_BYTES = 4 };

static bool read_frame(uint8_t **frame, size_t *length) {
    uint8_t header[HEADER_BYTES];
    if (fread(header, 1, sizeof header, stdin) != sizeof header)
        return false;
    *length =
        (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
    *frame = malloc(*length + (*length == 0)); // its exact size, for valgrind and ASan
    return *frame != NULL && fread(*frame, 1, *length, stdin) == *length;
}

// `frame` begins with room for the header.
static bool write_frame(uint8_t *frame, size_t length) {
    size_t payload = length - HEADER_BYTES;
    for (int i = 0; i < HEADER_BYTES; i++)
        frame[i] = (uint8_t)(payload >> (24 - 8 * i));
    return fwrite(frame, 1, length, stdout) == length && fflush(stdout) == 0;
}

int main(void) {
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, HEADER_BYTES, UINT32_MAX);
    uint8_t *frame = NULL;
    size_t length;
    bool wrote = true;
    while (wrote && read_frame(&frame, &length)) {
        struct etf_reader reader;
        etf_reader_init(&reader, frame, length, ETF_WRITER_DEPTH);
        etf_writer_reset(&writer);
        int code = term_walk(&reader.source, &writer.sink);
        uint8_t refusal[HEADER_BYTES + 1] = {0, 0, 0, 0, (uint8_t)-code};
        wrote = code == 0 ? write_frame(writer.data, writer.length)
                          : write_frame(refusal, sizeof refusal);
        free(frame);
        frame = NULL;
    }
    free(frame);
    etf_writer_release(&writer);
    return wrote && host.live_bytes == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
