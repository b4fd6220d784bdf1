// SPDX-License-Identifier: Apache-2.0
#include "driver_reply.h"

// The writer may move a block only to where it is.
static void *storage_memory(void *context, void *block, size_t old, size_t size) {
    (void)block;
    (void)old;
    struct driver_reply *reply = context;
    return size > 0 && size <= sizeof reply->room ? reply->room : NULL;
}

// A sink that gave up is not called again until it is reset.
static inline void shorten(struct driver_reply *reply, int code) {
    reply->is_short = code == 0;
}

static int reply_integer(struct term_sink *base, int64_t value) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_integer(&reply->shorter.sink, value));
    return term_integer(&reply->message.sink, value);
}

static int reply_real(struct term_sink *base, double value) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_real(&reply->shorter.sink, value));
    return term_real(&reply->message.sink, value);
}

static int reply_atom(struct term_sink *base, const char *name, size_t length) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_atom(&reply->shorter.sink, name, length));
    return term_atom(&reply->message.sink, name, length);
}

static int reply_bytes(struct term_sink *base, const void *data, size_t length) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_bytes(&reply->shorter.sink, data, length));
    return term_bytes(&reply->message.sink, data, length);
}

static int reply_begin(struct term_sink *base, enum term_kind kind, size_t n) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_begin(&reply->shorter.sink, kind, n));
    return term_begin(&reply->message.sink, kind, n);
}

static int reply_end(struct term_sink *base, enum term_kind kind, size_t n) {
    struct driver_reply *reply = (struct driver_reply *)base;
    if (reply->is_short)
        shorten(reply, term_end(&reply->shorter.sink, kind, n));
    return term_end(&reply->message.sink, kind, n);
}

static const struct term_sink_ops reply_ops = {
    .integer = reply_integer,
    .real = reply_real,
    .atom = reply_atom,
    .bytes = reply_bytes,
    .begin = reply_begin,
    .end = reply_end,
};

void driver_reply_init(struct driver_reply *reply, ErlDrvTermData port, int64_t id,
                       bool want_short) {
    reply->sink.ops = &reply_ops;
    reply->port = port;
    reply->id = id;
    reply->want_short = want_short;
    reply->storage = (struct service_host){.context = reply, .memory = storage_memory};
    etf_writer_init(&reply->shorter, &reply->storage, 1, DRIVER_SHORT_BYTES);
    driver_sink_init(&reply->message);
    driver_reply_start(reply);
}

void driver_reply_start(struct driver_reply *reply) {
    reply->is_short = reply->want_short;
    etf_writer_reset(&reply->shorter);
    driver_sink_start(&reply->message, reply->port, reply->id);
}

uint8_t *driver_reply_short(struct driver_reply *reply, size_t *length) {
    if (!reply->is_short)
        return NULL;
    *length = reply->shorter.length;
    return reply->shorter.data;
}

bool driver_reply_send(struct driver_reply *reply, ErlDrvTermData to) {
    return driver_sink_send(&reply->message, reply->port, to);
}

void driver_reply_release(struct driver_reply *reply) {
    driver_sink_release(&reply->message);
}
