// SPDX-License-Identifier: Apache-2.0
// The external term format as a sink: one growing buffer of a host's memory.
//
// A container's header is written when it opens and corrected when it closes, because only then is
// its count certain. On the hot path of the port program: an event costs one comparison of what is
// left, then stores; everything about limits and memory is in etf_grow.
#include "etf.h"

#include "etf_tags.h"

#include <string.h>

#define ETF_FIRST_BYTES 256u
// What a large binary leaves free behind it, so that closing the containers around it does not
// move it.
#define ETF_SLACK_BYTES    64u
#define ETF_ATOM_MAX_BYTES (255u * 4u) // MAX_ATOM_CHARACTERS in UTF-8

static int etf_grow(struct etf_writer *writer, size_t size) {
    size_t limit = writer->headroom + writer->max_bytes;
    if (limit < writer->max_bytes)
        limit = SIZE_MAX;
    size_t needed = writer->length + size;
    if (needed > limit)
        return TERM_E_SIZE;
    size_t capacity = writer->capacity == 0 ? ETF_FIRST_BYTES : 2 * writer->capacity;
    if (capacity < needed + ETF_SLACK_BYTES)
        capacity = needed + ETF_SLACK_BYTES;
    if (capacity > limit)
        capacity = limit;
    const struct service_host *host = writer->host;
    uint8_t *data = host->memory(host->context, writer->data, writer->capacity, capacity);
    if (data == NULL)
        return TERM_E_MEMORY;
    data[writer->headroom] = ETF_VERSION;
    writer->data = data;
    writer->capacity = capacity;
    return TERM_OK;
}

// Makes room for `size` more bytes.
static inline int etf_reserve(struct etf_writer *writer, size_t size) {
    return writer->length + size <= writer->capacity ? TERM_OK : etf_grow(writer, size);
}

// Appends `size` reserved bytes, to be stored by the caller.
static inline uint8_t *etf_append(struct etf_writer *writer, size_t size) {
    uint8_t *at = writer->data + writer->length;
    writer->length += size;
    return at;
}

static inline void etf_store32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static int etf_write_big(struct etf_writer *writer, int64_t value) {
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t digits = 4;
    while (digits < 8 && magnitude >> (8 * digits) != 0)
        digits++;
    int code = etf_reserve(writer, 3 + digits);
    if (code < 0)
        return code;
    uint8_t *at = etf_append(writer, 3 + digits);
    at[0] = ETF_SMALL_BIG;
    at[1] = (uint8_t)digits;
    at[2] = value < 0;
    for (size_t i = 0; i < digits; i++)
        at[3 + i] = (uint8_t)(magnitude >> (8 * i));
    return TERM_OK;
}

static int etf_write_integer(struct term_sink *sink, int64_t value) {
    struct etf_writer *writer = (struct etf_writer *)sink;
    if (value < INT32_MIN || value > INT32_MAX)
        return etf_write_big(writer, value);
    bool small = value >= 0 && value <= UINT8_MAX;
    size_t size = small ? 2 : 5;
    int code = etf_reserve(writer, size);
    if (code < 0)
        return code;
    uint8_t *at = etf_append(writer, size);
    at[0] = small ? ETF_SMALL_INTEGER : ETF_INTEGER;
    if (small)
        at[1] = (uint8_t)value;
    else
        etf_store32(at + 1, (uint32_t)value);
    return TERM_OK;
}

static int etf_write_real(struct term_sink *sink, double value) {
    struct etf_writer *writer = (struct etf_writer *)sink;
    int code = etf_reserve(writer, 9);
    if (code < 0)
        return code;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint8_t *at = etf_append(writer, 9);
    at[0] = ETF_NEW_FLOAT;
    etf_store32(at + 1, (uint32_t)(bits >> 32));
    etf_store32(at + 5, (uint32_t)bits);
    return TERM_OK;
}

static int etf_write_atom(struct term_sink *sink, const char *name, size_t length) {
    struct etf_writer *writer = (struct etf_writer *)sink;
    if (length > ETF_ATOM_MAX_BYTES)
        return TERM_E_TYPE;
    bool small = length <= UINT8_MAX;
    size_t header = small ? 2 : 3;
    int code = etf_reserve(writer, header + length);
    if (code < 0)
        return code;
    uint8_t *at = etf_append(writer, header + length);
    at[0] = small ? ETF_SMALL_ATOM_UTF8 : ETF_ATOM_UTF8;
    at[1] = (uint8_t)(small ? length : length >> 8);
    if (!small)
        at[2] = (uint8_t)length;
    memcpy(at + header, name, length);
    return TERM_OK;
}

static int etf_write_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct etf_writer *writer = (struct etf_writer *)sink;
    if (length > UINT32_MAX)
        return TERM_E_SIZE;
    int code = etf_reserve(writer, 5 + length);
    if (code < 0)
        return code;
    uint8_t *at = etf_append(writer, 5 + length);
    at[0] = ETF_BINARY;
    etf_store32(at + 1, (uint32_t)length);
    if (length > 0) // `data` may be NULL otherwise
        memcpy(at + 5, data, length);
    return TERM_OK;
}

static int etf_write_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    static const uint8_t tags[] = {
        [TERM_LIST] = ETF_LIST, [TERM_TUPLE] = ETF_LARGE_TUPLE, [TERM_MAP] = ETF_MAP};
    struct etf_writer *writer = (struct etf_writer *)sink;
    if (writer->depth == ETF_WRITER_DEPTH)
        return TERM_E_DEPTH;
    bool small = kind == TERM_TUPLE && n > 0 && n <= UINT8_MAX;
    size_t header = small ? 2 : 5;
    int code = etf_reserve(writer, header);
    if (code < 0)
        return code;
    writer->opened[writer->depth++] = writer->length;
    *etf_append(writer, header) = small ? ETF_SMALL_TUPLE : tags[kind];
    return TERM_OK;
}

// The hint was wrong: more elements than a small header can count.
static int etf_widen_tuple(struct etf_writer *writer, size_t at) {
    int code = etf_reserve(writer, 3);
    if (code < 0)
        return code;
    uint8_t *header = writer->data + at;
    memmove(header + 5, header + 2, writer->length - at - 2);
    (void)etf_append(writer, 3);
    header[0] = ETF_LARGE_TUPLE;
    return TERM_OK;
}

// Goes by the tag that begin wrote and not by `kind`, so that a source which mixes them up spoils
// its own term but writes nowhere else.
static int etf_write_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct etf_writer *writer = (struct etf_writer *)sink;
    (void)kind;
    if (writer->depth == 0)
        return TERM_E_CORRUPT;
    if (n > UINT32_MAX)
        return TERM_E_SIZE;
    size_t at = writer->opened[--writer->depth];
    int code = TERM_OK;
    switch (writer->data[at]) {
    case ETF_LIST:
        if (n == 0) {
            writer->data[at] = ETF_NIL;
            writer->length = at + 1;
            return TERM_OK;
        }
        code = etf_reserve(writer, 1);
        if (code == 0)
            *etf_append(writer, 1) = ETF_NIL;
        break;
    case ETF_SMALL_TUPLE:
        if (n <= UINT8_MAX) {
            writer->data[at + 1] = (uint8_t)n;
            return TERM_OK;
        }
        code = etf_widen_tuple(writer, at);
        break;
    case ETF_LARGE_TUPLE:
        if (n == 0) {
            writer->data[at] = ETF_SMALL_TUPLE;
            writer->data[at + 1] = 0;
            writer->length = at + 2;
            return TERM_OK;
        }
        break;
    default:
        break;
    }
    if (code == 0)
        etf_store32(writer->data + at + 1, (uint32_t)n);
    return code;
}

static const struct term_sink_ops etf_writer_ops = {
    .integer = etf_write_integer,
    .real = etf_write_real,
    .atom = etf_write_atom,
    .bytes = etf_write_bytes,
    .begin = etf_write_begin,
    .end = etf_write_end,
};

void etf_writer_init(struct etf_writer *writer, const struct service_host *host, size_t headroom,
                     size_t max_bytes) {
    writer->sink.ops = &etf_writer_ops;
    writer->host = host;
    writer->data = NULL;
    writer->capacity = 0;
    writer->headroom = headroom;
    writer->max_bytes = max_bytes;
    etf_writer_reset(writer);
}

void etf_writer_reset(struct etf_writer *writer) {
    // The version byte is counted here and stored by etf_grow, once for the life of the buffer.
    writer->length = writer->headroom + 1;
    writer->depth = 0;
}

void etf_writer_release(struct etf_writer *writer) {
    const struct service_host *host = writer->host;
    if (writer->data != NULL)
        (void)host->memory(host->context, writer->data, writer->capacity, 0);
    writer->data = NULL;
    writer->capacity = 0;
    etf_writer_reset(writer);
}
