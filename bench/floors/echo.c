// SPDX-License-Identifier: Apache-2.0
// The floor of everything reached as an external program: answers each frame with itself.
//
//   tripod_floor_echo 2|4       frames with a header of two or four bytes, big endian
//
// A frame is complete before it is answered, because a service has to see its whole request. All
// frames that one read brought are answered by one write. End of file ends it.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int echo_write(const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, data, length);
        if (n <= 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

static size_t echo_frame_bytes(const uint8_t *header, size_t header_bytes) {
    size_t body = 0;
    for (size_t i = 0; i < header_bytes; i++)
        body = body << 8 | header[i];
    return header_bytes + body;
}

// Bytes at the start of `data` that are whole frames; *wanted is the size of the one after them.
static size_t echo_whole(const uint8_t *data, size_t length, size_t header_bytes, size_t *wanted) {
    size_t whole = 0;
    *wanted = header_bytes;
    while (length - whole >= header_bytes) {
        size_t frame = echo_frame_bytes(data + whole, header_bytes);
        if (length - whole < frame) {
            *wanted = frame;
            break;
        }
        whole += frame;
    }
    return whole;
}

int main(int argc, char **argv) {
    size_t header_bytes = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    if (header_bytes != 2 && header_bytes != 4)
        return 2;
    size_t capacity = 65536, length = 0, wanted;
    uint8_t *data = malloc(capacity);
    if (data == NULL)
        return 1;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, data + length, capacity - length);
        if (n <= 0)
            break;
        length += (size_t)n;
        size_t whole = echo_whole(data, length, header_bytes, &wanted);
        if (whole > 0 && echo_write(data, whole) < 0)
            break;
        length -= whole;
        memmove(data, data + whole, length);
        if (wanted > capacity) {
            uint8_t *larger = realloc(data, wanted);
            if (larger == NULL)
                break;
            data = larger;
            capacity = wanted;
        }
    }
    free(data);
    return 0;
}
