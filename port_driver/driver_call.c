// SPDX-License-Identifier: Apache-2.0
#include "driver_call.h"

#include "driver_frame.h"
#include "driver_sink.h"
#include "etf.h"

enum refusal {
    REFUSAL_NOT_OWNER, // {error, not_owner}
    REFUSAL_CLOSED,    // {error, closed}
    REFUSAL_MEMORY,    // {error, {limit, memory}}
    REFUSAL_BADTERM,   // {error, {badterm, []}}
};

// Never fails: an emptied sink has room for these without allocating.
static void put_refusal(struct driver_sink *sink, enum refusal refusal) {
    struct term_sink *reply = &sink->sink;
    (void)TERM_ATOM(reply, "error");
    switch (refusal) {
    case REFUSAL_NOT_OWNER:
        (void)TERM_ATOM(reply, "not_owner");
        break;
    case REFUSAL_CLOSED:
        (void)TERM_ATOM(reply, "closed");
        break;
    case REFUSAL_MEMORY:
        (void)TERM_ATOM(reply, "limit");
        (void)TERM_ATOM(reply, "memory");
        (void)term_end(reply, TERM_TUPLE, 2);
        break;
    case REFUSAL_BADTERM:
        (void)TERM_ATOM(reply, "badterm");
        (void)term_end(reply, TERM_LIST, 0);
        (void)term_end(reply, TERM_TUPLE, 2);
        break;
    }
    (void)term_end(reply, TERM_TUPLE, 2);
}

// Leaves the reply in the sink, whatever the result.
static enum box_result run(struct box *box, const struct driver_call *call,
                           struct driver_sink *sink, ErlDrvTermData port) {
    struct etf_reader request;
    etf_reader_init(&request, call->request, call->length, ETF_WRITER_DEPTH);
    enum box_result result = box_begin(box, &request.source, call->time_ns);
    while (result == BOX_MORE) {
        driver_sink_start(sink, port, call->id);
        result = box_step(box, &sink->sink);
    }
    if (result != BOX_DONE) {
        driver_sink_start(sink, port, call->id);
        (void)box_explain(box, result, &sink->sink);
    }
    return result;
}

enum box_result driver_call_run(struct driver_box *box, ErlDrvTermData port, ErlDrvTermData caller,
                                const ErlIOVec *vector) {
    struct driver_call call;
    enum driver_call_read read = driver_call_read(vector, &call);
    if (read == DRIVER_CALL_FOREIGN)
        return BOX_DONE;
    struct driver_sink sink;
    driver_sink_init(&sink);
    driver_sink_start(&sink, port, call.id);
    enum box_result result = BOX_DONE;
    if (box == NULL)
        put_refusal(&sink, REFUSAL_CLOSED);
    else if (atomic_load_explicit(&box->owner, memory_order_relaxed) != caller)
        put_refusal(&sink, REFUSAL_NOT_OWNER);
    else if (read == DRIVER_CALL_MEMORY)
        put_refusal(&sink, REFUSAL_MEMORY);
    else
        result = run(&box->box, &call, &sink, port);
    if (!driver_sink_send(&sink, port, caller)) {
        // The caller still waits, unless it is gone: then this one is lost as well.
        driver_sink_start(&sink, port, call.id);
        put_refusal(&sink, REFUSAL_BADTERM);
        (void)driver_sink_send(&sink, port, caller);
    }
    driver_sink_release(&sink);
    driver_call_release(&call);
    return result;
}
