// SPDX-License-Identifier: Apache-2.0
#include "driver_call.h"

#include "driver_frame.h"
#include "driver_reply.h"
#include "etf.h"

#include <string.h>

// Never fails: an emptied sink has room for these without allocating.
static void put_refusal(struct driver_reply *to, enum driver_refusal refusal) {
    driver_reply_start(to);
    struct term_sink *reply = &to->sink;
    (void)term_begin(reply, TERM_TUPLE, 2);
    (void)TERM_ATOM(reply, "error");
    switch (refusal) {
    case DRIVER_REFUSAL_NOT_OWNER:
        (void)TERM_ATOM(reply, "not_owner");
        break;
    case DRIVER_REFUSAL_CLOSED:
        (void)TERM_ATOM(reply, "closed");
        break;
    case DRIVER_REFUSAL_INTERRUPTED:
        (void)TERM_ATOM(reply, "interrupted");
        break;
    case DRIVER_REFUSAL_MEMORY:
        (void)term_begin(reply, TERM_TUPLE, 2);
        (void)TERM_ATOM(reply, "limit");
        (void)TERM_ATOM(reply, "memory");
        (void)term_end(reply, TERM_TUPLE, 2);
        break;
    case DRIVER_REFUSAL_BADTERM:
        (void)term_begin(reply, TERM_TUPLE, 2);
        (void)TERM_ATOM(reply, "badterm");
        (void)term_begin(reply, TERM_LIST, 0);
        (void)term_end(reply, TERM_LIST, 0);
        (void)term_end(reply, TERM_TUPLE, 2);
        break;
    }
    (void)term_end(reply, TERM_TUPLE, 2);
}

// Whether the caller may use the box; otherwise the refusal is in the reply.
static bool admit(const struct driver_box *box, ErlDrvTermData caller, struct driver_reply *reply) {
    if (box == NULL)
        put_refusal(reply, DRIVER_REFUSAL_CLOSED);
    else if (atomic_load_explicit(&box->owner, memory_order_relaxed) != caller)
        put_refusal(reply, DRIVER_REFUSAL_NOT_OWNER);
    else
        return true;
    return false;
}

void driver_call_refuse(ErlDrvTermData port, ErlDrvTermData caller, int64_t id,
                        enum driver_refusal refusal) {
    struct driver_reply reply;
    driver_reply_init(&reply, port, id, false);
    put_refusal(&reply, refusal);
    (void)driver_reply_send(&reply, caller);
    driver_reply_release(&reply);
}

// Leaves the reply in the sink, whatever the result.
static enum box_result run(struct box *box, const void *request, size_t length, uint64_t time_ns,
                           struct driver_reply *reply) {
    struct etf_reader reader;
    etf_reader_init(&reader, request, length, box_request_depth(box));
    enum box_result result = box_begin(box, &reader.source, time_ns);
    while (result == BOX_MORE) {
        driver_reply_start(reply);
        result = box_step(box, &reply->sink);
    }
    if (result != BOX_DONE) {
        driver_reply_start(reply);
        (void)box_explain(box, result, &reply->sink);
    }
    return result;
}

enum box_result driver_call_send(struct driver_box *box, ErlDrvTermData port, ErlDrvTermData caller,
                                 const ErlIOVec *vector) {
    struct driver_send send;
    enum driver_send_read read = driver_send_read(vector, &send);
    if (read == DRIVER_SEND_FOREIGN)
        return BOX_DONE;
    struct driver_reply reply;
    driver_reply_init(&reply, port, send.id, false);
    enum box_result result = BOX_DONE;
    if (admit(box, caller, &reply)) {
        if (read == DRIVER_SEND_MEMORY)
            put_refusal(&reply, DRIVER_REFUSAL_MEMORY);
        else
            result = run(&box->box, send.request, send.length, send.time_ns, &reply);
    }
    if (!driver_reply_send(&reply, caller)) {
        // The caller still waits, unless it is gone: then this one is lost as well.
        put_refusal(&reply, DRIVER_REFUSAL_BADTERM);
        (void)driver_reply_send(&reply, caller);
    }
    driver_reply_release(&reply);
    driver_send_release(&send);
    return result;
}

// {ok, Value} in external term format, up to Value.
static const uint8_t ok_prefix[] = {131, 104, 2, 119, 2, 'o', 'k'};

// The short form as a result, or NULL. Of {ok, Value} only Value, because finding the atom `ok` is
// a good part of what it costs to decode a small term; the prefix's last byte becomes Value's
// version.
static const uint8_t *short_result(struct driver_reply *reply, size_t *length) {
    uint8_t *term = driver_reply_short(reply, length);
    if (term == NULL)
        return NULL;
    if (*length <= sizeof ok_prefix || memcmp(term + 1, ok_prefix, sizeof ok_prefix) != 0) {
        *term = DRIVER_WHOLE;
        return term;
    }
    *length -= sizeof ok_prefix;
    term += sizeof ok_prefix;
    *term = ok_prefix[0];
    return term;
}

// False: too long for a result, or no memory for a binary.
static bool put_short(struct driver_reply *reply, char **result, ErlDrvSSizeT *result_length) {
    size_t length;
    const uint8_t *term = short_result(reply, &length);
    if (term == NULL)
        return false;
    if (length > DRIVER_RESULT_BYTES) {
        ErlDrvBinary *binary = driver_alloc_binary(length);
        if (binary == NULL)
            return false;
        memcpy(binary->orig_bytes, term, length);
        *result = (char *)binary;
    } else {
        memcpy(*result, term, length);
    }
    *result_length = (ErlDrvSSizeT)length;
    return true;
}

enum box_result driver_call_control(struct driver_box *box, ErlDrvTermData port,
                                    ErlDrvTermData caller, uint64_t time_ns, const void *request,
                                    size_t length, char **result, ErlDrvSSizeT *result_length) {
    struct driver_reply reply;
    driver_reply_init(&reply, port, 0, true);
    enum box_result done = BOX_DONE;
    if (admit(box, caller, &reply))
        done = run(&box->box, request, length, time_ns, &reply);
    if (!put_short(&reply, result, result_length)) {
        *result_length = driver_status_put(*result, DRIVER_OK, NULL);
        if (!driver_reply_send(&reply, caller)) {
            put_refusal(&reply, DRIVER_REFUSAL_BADTERM);
            (void)put_short(&reply, result, result_length);
        }
    }
    driver_reply_release(&reply);
    return done;
}
