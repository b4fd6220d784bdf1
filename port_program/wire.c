// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define WIRE_REQUEST_HEADER 13u
#define WIRE_REPLY_HEADER   9u
#define WIRE_MORE_HEADER    5u
#define WIRE_BARE_HEADER    5u // INTERRUPT and USAGE: nothing follows
// Frames per writev: two vectors each, well under IOV_MAX (1024 on Linux).
#define WIRE_BATCH 256u

static uint32_t wire_load16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t wire_load32(const uint8_t *at) {
    return wire_load16(at) << 16 | wire_load16(at + 2);
}

static void wire_store16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void wire_store32(uint8_t *at, uint32_t value) {
    wire_store16(at, value >> 16);
    wire_store16(at + 2, value);
}

// Length of the whole frame at `at`, its two length bytes included; 0 if it is not complete yet.
static size_t wire_complete(const struct wire_in *in, size_t at) {
    if (in->end - at < 2)
        return 0;
    size_t length = 2 + wire_load16(in->data + at);
    return in->end - at < length ? 0 : length;
}

static enum wire_result wire_parse(const uint8_t *data, size_t length, struct wire_frame *frame) {
    if (length == 0)
        return WIRE_BROKEN;
    size_t header;
    *frame = (struct wire_frame){0};
    switch (data[0]) {
    case WIRE_REQUEST:
        header = WIRE_REQUEST_HEADER;
        break;
    case WIRE_MORE:
        header = WIRE_MORE_HEADER;
        break;
    case WIRE_INTERRUPT:
    case WIRE_USAGE:
        if (length != WIRE_BARE_HEADER)
            return WIRE_BROKEN;
        header = WIRE_BARE_HEADER;
        break;
    default:
        return WIRE_BROKEN;
    }
    if (length < header)
        return WIRE_BROKEN;
    frame->kind = (enum wire_kind)data[0];
    frame->id = wire_load32(data + 1);
    if (data[0] == WIRE_REQUEST) {
        frame->time_ms = wire_load32(data + 5);
        frame->total = wire_load32(data + 9);
    }
    frame->bytes = data + header;
    frame->length = length - header;
    return WIRE_OK;
}

enum wire_result wire_next(struct wire_in *in, struct wire_frame *frame) {
    wire_release(in);
    size_t length = wire_complete(in, in->begin);
    if (length == 0)
        return WIRE_NONE;
    const uint8_t *data = in->data + in->begin + 2;
    in->begin += length;
    if (in->scanned < in->begin)
        in->scanned = in->begin;
    in->held = true;
    return wire_parse(data, length - 2, frame);
}

void wire_release(struct wire_in *in) {
    in->held = false;
    // Small frames then always use the same first page.
    if (in->begin == in->end)
        in->begin = in->scanned = in->end = 0;
}

bool wire_room(const struct wire_in *in) {
    return in->end < sizeof in->data || (!in->held && in->begin > 0);
}

enum wire_result wire_fill(struct wire_in *in) {
    // Moving late keeps the copied bytes few; a frame that has begun must find room to end.
    if (!in->held && in->begin > 0 && sizeof in->data - in->end < 2 + WIRE_FRAME_BYTES) {
        memmove(in->data, in->data + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->scanned -= in->begin;
        in->begin = 0;
    }
    ssize_t got;
    do
        got = read(in->fd, in->data + in->end, sizeof in->data - in->end);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return WIRE_END;
    in->end += (size_t)got;
    return WIRE_OK;
}

bool wire_interrupts(uint32_t interrupt_id, uint32_t id) {
    return interrupt_id - id <= UINT32_MAX / 2;
}

bool wire_take_interrupts(struct wire_in *in, uint32_t id) {
    bool meant = false;
    size_t length;
    while ((length = wire_complete(in, in->scanned)) > 0) {
        uint8_t *at = in->data + in->scanned;
        if (length == 2 + WIRE_BARE_HEADER && at[2] == WIRE_INTERRUPT) {
            meant = meant || wire_interrupts(wire_load32(at + 3), id);
            memmove(at, at + length, in->end - in->scanned - length);
            in->end -= length;
        } else {
            in->scanned += length;
        }
    }
    return meant;
}

// Writes all vectors, changing them on the way.
static enum wire_result wire_write(int fd, struct iovec *vectors, size_t count) {
    while (count > 0) {
        // A single buffer is the hot path; write costs less there than writev.
        ssize_t wrote = count == 1 ? write(fd, vectors->iov_base, vectors->iov_len)
                                   : writev(fd, vectors, (int)count);
        if (wrote < 0) {
            if (errno == EINTR)
                continue;
            return WIRE_END;
        }
        size_t left = (size_t)wrote;
        while (count > 0 && left >= vectors->iov_len) {
            left -= vectors->iov_len;
            vectors++;
            count--;
        }
        if (count > 0) {
            vectors->iov_base = (uint8_t *)vectors->iov_base + left;
            vectors->iov_len -= left;
        }
    }
    return WIRE_OK;
}

enum wire_result wire_hello(int fd, uint32_t service_abi) {
    uint8_t frame[7] = {0, 5, WIRE_HELLO};
    wire_store16(frame + 3, WIRE_VERSION);
    wire_store16(frame + 5, service_abi);
    struct iovec vector = {.iov_base = frame, .iov_len = sizeof frame};
    return wire_write(fd, &vector, 1);
}

static size_t wire_minimum(size_t a, size_t b) {
    return a < b ? a : b;
}

enum wire_result wire_reply(int fd, uint32_t id, uint8_t *data, size_t length) {
    static uint8_t headers[WIRE_BATCH][2 + WIRE_MORE_HEADER];
    static struct iovec vectors[2 * WIRE_BATCH];
    size_t part = wire_minimum(length, WIRE_FRAME_BYTES - WIRE_REPLY_HEADER);
    wire_store16(data, (uint32_t)(WIRE_REPLY_HEADER + part));
    data[2] = WIRE_REPLY;
    wire_store32(data + 3, id);
    wire_store32(data + 7, (uint32_t)length);
    vectors[0] = (struct iovec){.iov_base = data, .iov_len = WIRE_HEADROOM + part};
    size_t count = 1;
    uint8_t *next = data + WIRE_HEADROOM + part;
    size_t left = length - part;
    while (left > 0) {
        for (size_t i = 0; i < WIRE_BATCH - 1 && left > 0; i++) {
            part = wire_minimum(left, WIRE_FRAME_BYTES - WIRE_MORE_HEADER);
            wire_store16(headers[i], (uint32_t)(WIRE_MORE_HEADER + part));
            headers[i][2] = WIRE_MORE;
            wire_store32(headers[i] + 3, id);
            vectors[count++] = (struct iovec){headers[i], sizeof headers[i]};
            vectors[count++] = (struct iovec){next, part};
            next += part;
            left -= part;
        }
        if (left > 0) {
            enum wire_result result = wire_write(fd, vectors, count);
            if (result != WIRE_OK)
                return result;
            count = 0;
        }
    }
    return wire_write(fd, vectors, count);
}
