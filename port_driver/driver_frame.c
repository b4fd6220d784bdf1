// SPDX-License-Identifier: Apache-2.0
#include "driver_frame.h"

#include <string.h>

#define NS_PER_MS        UINT64_C(1000000)
#define SEND_HEADER      ((size_t)13)
#define OPEN_HEADER      ((size_t)30)
#define PREEMPT_BY_COUNT 1

static uint64_t get64(const uint8_t *from) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return value;
}

static uint32_t get32(const uint8_t *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

uint64_t driver_call_time_ns(unsigned int op) {
    return (op - DRIVER_CALL) * NS_PER_MS;
}

ErlDrvSSizeT driver_status_put(char *result, enum driver_status status, const char *reason) {
    size_t length = reason != NULL ? strlen(reason) : 0;
    if (length > DRIVER_RESULT_BYTES - 1)
        length = DRIVER_RESULT_BYTES - 1;
    result[0] = (char)status;
    if (length > 0)
        memcpy(result + 1, reason, length);
    return (ErlDrvSSizeT)(1 + length);
}

ErlDrvSSizeT driver_numbers_put(char *result, const uint64_t *numbers, size_t count) {
    size_t at = 0;
    result[at++] = DRIVER_OK;
    for (size_t i = 0; i < count; i++)
        for (int shift = 56; shift >= 0; shift -= 8)
            result[at++] = (char)(numbers[i] >> shift);
    return (ErlDrvSSizeT)at;
}

// Where a walk over the pieces of a vector is.
struct cursor {
    const ErlIOVec *vector;
    int piece;
    size_t offset; // in that piece
};

static void cursor_copy(struct cursor *cursor, uint8_t *to, size_t length) {
    while (length > 0) {
        const SysIOVec *piece = &cursor->vector->iov[cursor->piece];
        size_t left = (size_t)piece->iov_len - cursor->offset;
        size_t part = left < length ? left : length;
        if (part > 0)
            memcpy(to, (const uint8_t *)piece->iov_base + cursor->offset, part);
        to += part;
        length -= part;
        cursor->offset += part;
        if (length > 0) {
            cursor->piece += 1;
            cursor->offset = 0;
        }
    }
}

// Whether the next `length` bytes, at least one, lie in one piece; *at says where. The VM packs
// small iodata into one piece and leaves a large binary in one of its own, untouched
// (erts_port_output in io.c), so term_to_binary's result always does.
static bool cursor_peek(struct cursor *cursor, size_t length, const void **at) {
    while (cursor->piece < cursor->vector->vsize) {
        const SysIOVec *piece = &cursor->vector->iov[cursor->piece];
        size_t left = (size_t)piece->iov_len - cursor->offset;
        if (left > 0) {
            *at = (const uint8_t *)piece->iov_base + cursor->offset;
            return left >= length;
        }
        cursor->piece += 1;
        cursor->offset = 0;
    }
    return false;
}

enum driver_send_read driver_send_read(const ErlIOVec *vector, struct driver_send *send) {
    size_t size = vector->size;
    if (size < SEND_HEADER)
        return DRIVER_SEND_FOREIGN;
    uint8_t header[SEND_HEADER];
    struct cursor cursor = {vector, 0, 0};
    cursor_copy(&cursor, header, SEND_HEADER);
    if (header[0] != DRIVER_SEND)
        return DRIVER_SEND_FOREIGN;
    send->id = (int64_t)get64(header + 1);
    send->time_ns = get32(header + 9) * NS_PER_MS;
    send->length = size - SEND_HEADER;
    send->request = NULL;
    send->binary = NULL;
    send->flat = NULL;
    if (send->length == 0)
        return DRIVER_SEND_READ;
    if (cursor_peek(&cursor, send->length, &send->request)) {
        send->binary = vector->binv[cursor.piece];
        return DRIVER_SEND_READ;
    }
    send->flat = driver_alloc(send->length);
    if (send->flat == NULL)
        return DRIVER_SEND_MEMORY;
    cursor_copy(&cursor, send->flat, send->length);
    send->request = send->flat;
    return DRIVER_SEND_READ;
}

void driver_send_release(struct driver_send *send) {
    if (send->flat != NULL)
        driver_free(send->flat);
    send->flat = NULL;
}

bool driver_open_read(const char *frame, size_t length, struct driver_open *open) {
    if (length <= OPEN_HEADER)
        return false;
    const uint8_t *from = (const uint8_t *)frame;
    uint64_t memory_bytes = get64(from);
    uint64_t time_ms = get64(from + 8);
    uint64_t reply_bytes = get64(from + 16);
    if (memory_bytes > SIZE_MAX || reply_bytes > SIZE_MAX || time_ms > UINT64_MAX / NS_PER_MS)
        return false;
    open->limits = (struct service_limits){
        .memory_bytes = (size_t)memory_bytes,
        .time_ns = time_ms * NS_PER_MS,
        .slice_ns = 0,
        .depth = get32(from + 24),
        .reply_bytes = (size_t)reply_bytes,
        .preempt = from[28] == PREEMPT_BY_COUNT ? SERVICE_PREEMPT_COUNT : SERVICE_PREEMPT_TIMER,
    };
    open->async = from[29] != 0;
    open->service = frame + OPEN_HEADER;
    open->service_length = length - OPEN_HEADER;
    return true;
}

bool driver_id_read(const char *frame, size_t length, uint64_t *id) {
    if (length != 8)
        return false;
    *id = get64((const uint8_t *)frame);
    return true;
}
