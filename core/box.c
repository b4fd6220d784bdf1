// SPDX-License-Identifier: Apache-2.0
#include "box.h"

#include "reaper.h"

#include <string.h>

static void *box_memory(void *context, void *block, size_t old, size_t size) {
    struct box *box = context;
    void *moved = box->room->memory(block, old, size);
    if (moved != NULL || size == 0)
        census_book(&box->census, old, size);
    return moved;
}

static void box_bury(void *context, struct service_block *const lists[2], size_t total) {
    struct box *box = context;
    // Counted before it is taken: the reaper may be quick.
    if (total >= REAPER_LEAST_BYTES) {
        census_buried(&box->census, total);
        if (reaper_take(lists, box->room->memory, census_unburied))
            return;
        census_unburied(total);
        census_book(&box->census, 0, total);
    }
    for (int i = 0; i < 2; i++)
        for (struct service_block *block = lists[i]; block != NULL;) {
            struct service_block *next = block->next;
            (void)box_memory(context, block, block->bytes, 0);
            block = next;
        }
}

static uint64_t box_now_ns(void *context) {
    return ((struct box *)context)->room->now_ns();
}

static void box_tick(void *context) {
    struct box *box = context;
    box->room->tick(box->room_data);
}

static void box_log(void *context, enum service_log_level level, const char *text, size_t length) {
    struct box *box = context;
    box->room->log(box->room_data, level, text, length);
}

int box_open(struct box *box, const struct service *service, const struct service_limits *limits,
             const struct box_room *room, void *room_data) {
    memset(box, 0, sizeof *box);
    if (service->abi != SERVICE_ABI)
        return SERVICE_E_BROKEN;
    gate_init(&box->gate);
    box->service = service;
    box->limits = *limits;
    box->default_time_ns = limits->time_ns;
    box->room = room;
    box->room_data = room_data;
    box->host = (struct service_host){
        .context = box,
        .memory = box_memory,
        .bury = box_bury,
        .stop = &box->gate.word,
        .now_ns = box_now_ns,
        .tick = room->tick != NULL ? box_tick : NULL,
        .log = box_log,
    };
    census_enter(&box->census, &box->gate);
    int code = service->open(&box->host, &box->limits, &box->state);
    if (code < 0)
        census_leave(&box->census);
    return code;
}

// Called by exactly one thread, the one that the gate told to.
static void box_release(struct box *box) {
    if (box->state != NULL)
        box->service->close(box->state);
    box->state = NULL;
    census_leave(&box->census);
}

static enum box_result box_leave(struct box *box, enum box_result result) {
    box->inside = false;
    if (!gate_leave(&box->gate))
        return result;
    box_release(box);
    return BOX_CLOSED;
}

// The thread is inside, unless somebody else is or the instance is gone.
static enum box_result box_entered(struct box *box, enum gate_entry entry) {
    switch (entry) {
    case GATE_CLOSED:
        return BOX_CLOSED;
    case GATE_TAKEN:
        return BOX_TAKEN;
    case GATE_ENTERED:
        break;
    }
    box->inside = true;
    return BOX_MORE;
}

static enum box_result box_enter(struct box *box) {
    enum box_result entered = box_entered(box, gate_enter(&box->gate));
    return entered != BOX_MORE || box->down == 0 ? entered : box_leave(box, BOX_DOWN);
}

static enum box_result box_fell(struct box *box, int code) {
    box->down = code;
    box->service->close(box->state);
    box->state = NULL;
    return box_leave(box, BOX_DOWN);
}

// Between two steps. The room may leave the thread.
static enum box_result box_pause(struct box *box, enum box_result result) {
    box->inside = false;
    if (!gate_pause(&box->gate))
        return result;
    box_release(box);
    return BOX_CLOSED;
}

static bool box_resume(struct box *box) {
    return box->inside || box_entered(box, gate_resume(&box->gate)) == BOX_MORE;
}

static enum box_result box_take(struct box *box, struct term_source *request) {
    int code = box->service->begin(box->state, request);
    if (code == TERM_E_LATER)
        return box_pause(box, BOX_LATER);
    return code < 0 ? box_fell(box, code) : BOX_MORE;
}

// The answer to a question: the call has been in progress all the while, and could be interrupted.
static enum box_result box_answer(struct box *box, struct term_source *answer) {
    enum box_result entered = box_entered(box, gate_resume(&box->gate));
    if (entered != BOX_MORE)
        return entered;
    // Somebody else may have answered in between.
    if (!atomic_load_explicit(&box->asking, memory_order_relaxed))
        return box_pause(box, BOX_TAKEN);
    atomic_store_explicit(&box->asking, false, memory_order_relaxed);
    return box_take(box, answer);
}

enum box_result box_begin(struct box *box, struct term_source *request, uint64_t time_ns) {
    // Relaxed: whoever has heard the question has synchronised with who asked it; who has not, gets
    // BOX_TAKEN either way.
    if (atomic_load_explicit(&box->asking, memory_order_relaxed))
        return box_answer(box, request);
    enum box_result entered = box_enter(box);
    if (entered != BOX_MORE)
        return entered;
    uint64_t calls = atomic_load_explicit(&box->census.calls, memory_order_relaxed);
    atomic_store_explicit(&box->census.calls, calls + 1, memory_order_relaxed);
    box->limits.time_ns = time_ns != 0 ? time_ns : box->default_time_ns;
    return box_take(box, request);
}

enum box_result box_begin_again(struct box *box, struct term_source *request) {
    return box_resume(box) ? box_take(box, request) : BOX_CLOSED;
}

enum box_result box_step(struct box *box, struct term_sink *reply) {
    if (!box_resume(box))
        return BOX_CLOSED;
    int code = box->service->step(box->state, reply);
    if (code == SERVICE_DONE)
        return box_leave(box, BOX_DONE);
    if (code == TERM_E_LATER)
        return box_pause(box, BOX_LATER);
    if (code == SERVICE_ASK) {
        atomic_store_explicit(&box->asking, true, memory_order_relaxed);
        return box_pause(box, BOX_DONE);
    }
    return code < 0 ? box_fell(box, code) : box_pause(box, BOX_MORE);
}

int box_explain(const struct box *box, enum box_result result, struct term_sink *reply) {
    int code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "error");
    if (code < 0)
        return code;
    if (result == BOX_CLOSED) {
        code = TERM_ATOM(reply, "closed");
    } else {
        const char *tag = result == BOX_DOWN ? "down" : "unsupported";
        const char *why = result == BOX_DOWN ? box_down_reason(box->down) : "concurrent_call";
        code = term_begin(reply, TERM_TUPLE, 2);
        if (code == 0)
            code = term_atom(reply, tag, strlen(tag));
        if (code == 0)
            code = term_atom(reply, why, strlen(why));
        if (code == 0)
            code = term_end(reply, TERM_TUPLE, 2);
    }
    return code < 0 ? code : term_end(reply, TERM_TUPLE, 2);
}

bool box_interrupt(struct box *box) {
    return gate_interrupt(&box->gate);
}

void box_close(struct box *box) {
    if (gate_close(&box->gate) == GATE_RELEASE_NOW)
        box_release(box);
}

enum box_result box_usage(struct box *box, struct box_usage *usage) {
    enum box_result entered = box_enter(box);
    if (entered != BOX_MORE)
        return entered;
    struct service_usage service = {0};
    box->service->usage(box->state, &service);
    usage->bytes = atomic_load_explicit(&box->census.bytes, memory_order_relaxed);
    usage->peak_bytes = atomic_load_explicit(&box->census.peak_bytes, memory_order_relaxed);
    usage->calls = atomic_load_explicit(&box->census.calls, memory_order_relaxed);
    usage->live_bytes = service.live_bytes;
    return box_leave(box, BOX_DONE);
}

const char *box_down_reason(int code) {
    switch (code) {
    case SERVICE_E_MEMORY:
    case TERM_E_MEMORY:
        return "memory";
    case SERVICE_E_SYSTEM:
        return "system";
    case SERVICE_E_TIME:
        return "time";
    case TERM_E_SIZE:
    case TERM_E_DEPTH:
    case TERM_E_TYPE:
        return "reply";
    case TERM_E_CORRUPT:
        return "request";
    default:
        return "broken";
    }
}
