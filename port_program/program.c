// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include "box.h"
#include "etf.h"
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_SLICE_NS UINT64_C(1000000)
// What a reply may exceed reply_bytes by: the service's own limit speaks first, with a reply that
// says so, and {error, ...} around a message needs a few bytes too.
#define PROGRAM_REPLY_SLACK_BYTES 4096u
// What a request may exceed memory_bytes by. A larger one cannot be held by the box anyway.
#define PROGRAM_REQUEST_SLACK_BYTES 65536u
// What the program itself may take, stack and small change of malloc included.
#define PROGRAM_REACH_SLACK_BYTES ((size_t)64 * 1024 * 1024)
// Buffers up to this size are kept between calls; larger ones as long as calls use a quarter.
#define PROGRAM_KEEP_BYTES (1024u * 1024u)

// A request that does not fit one frame.
struct program_request {
    uint8_t *bytes;
    size_t capacity;
    bool begun; // its frames are still coming
    uint32_t id;
    uint32_t time_ms;
    size_t total;
    size_t have;
};

static struct program {
    struct box box;
    struct service_limits limits;
    struct wire_in in;
    int out_fd;
    struct program_request request;
    bool interrupted; // an INTERRUPT came between the frames of the request
    uint32_t call_id; // of the call in progress
    struct etf_writer reply;
} program;

static void *program_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size > 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

// For the room's own buffers, which are not the instance's memory.
static void *program_own_memory(void *context, void *block, size_t old, size_t size) {
    (void)context;
    return program_memory(block, old, size);
}

static uint64_t program_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void program_log(void *room_data, enum service_log_level level, const char *text,
                        size_t length) {
    static const char *const names[] = {"error", "warning", "info"};
    (void)room_data;
    (void)fprintf(stderr, "tripod_port_program: %s: %.*s\n", names[level],
                  (int)(length < 1024 ? length : 1024), text);
}

// While a call runs. Without room, only the end of file is asked for: poll reports POLLHUP always.
static void program_look(void *room_data) {
    (void)room_data;
    struct pollfd input = {.fd = program.in.fd, .events = wire_room(&program.in) ? POLLIN : 0};
    if (poll(&input, 1, 0) <= 0)
        return;
    // Nobody waits for this call or for those that still lie in the pipe.
    if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
        _exit(EXIT_CODE_END);
    if (wire_fill(&program.in) == WIRE_END)
        _exit(EXIT_CODE_END);
    if (wire_take_interrupts(&program.in, program.call_id))
        (void)box_interrupt(&program.box);
}

static const struct box_room program_room = {
    .memory = program_memory,
    .now_ns = program_now_ns,
    .tick = program_look,
    .log = program_log,
};

static const struct service_host program_host = {.memory = program_own_memory};

// The exit code that says the same as the reply {error, {down, Why}}.
static enum exit_code program_down(int down) {
    static const struct {
        const char *why;
        enum exit_code code;
    } codes[] = {
        {"memory", EXIT_CODE_MEMORY},   {"system", EXIT_CODE_SYSTEM}, {"reply", EXIT_CODE_REPLY},
        {"request", EXIT_CODE_REQUEST}, {"broken", EXIT_CODE_BROKEN}, {"time", EXIT_CODE_TIME},
    };
    const char *why = box_down_reason(down);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].why, why) == 0)
            return codes[i].code;
    return EXIT_CODE_BROKEN;
}

enum exit_code program_open(const struct program_config *config) {
    program.limits = config->limits;
    program.limits.slice_ns = PROGRAM_SLICE_NS;
    program.in.fd = config->in_fd;
    program.out_fd = config->out_fd;
    etf_writer_init(&program.reply, &program_host, WIRE_HEADROOM,
                    program.limits.reply_bytes + PROGRAM_REPLY_SLACK_BYTES);
    int code = box_open(&program.box, config->service, &program.limits, &program_room, NULL);
    return code < 0 ? program_down(code) : EXIT_CODE_END;
}

static size_t program_plus(size_t a, size_t b) {
    return a < SIZE_MAX - b ? a + b : SIZE_MAX;
}

size_t program_reach_bytes(void) {
    size_t memory = program.limits.memory_bytes;
    // The hard cap is 10 % and 1 MiB above (docs/sandbox.md).
    size_t once = program_plus(memory, memory / 10);
    once = program_plus(once, memory);
    once = program_plus(once, program.limits.reply_bytes);
    return program_plus(program_plus(once, once), PROGRAM_REACH_SLACK_BYTES);
}

void program_close(void) {
    box_close(&program.box);
    etf_writer_release(&program.reply);
    free(program.request.bytes);
}

static bool program_too_large(size_t capacity, size_t used) {
    return capacity > PROGRAM_KEEP_BYTES && used < capacity / 4;
}

static enum wire_result program_send(uint32_t id) {
    struct etf_writer *reply = &program.reply;
    enum wire_result result =
        wire_reply(program.out_fd, id, reply->data, reply->length - WIRE_HEADROOM);
    if (program_too_large(reply->capacity, reply->length))
        etf_writer_release(reply);
    return result;
}

// A positive code ends the program; EXIT_CODE_END goes on.
static enum exit_code program_call(uint32_t id, uint32_t time_ms, const uint8_t *bytes,
                                   size_t length) {
    program.call_id = id;
    struct etf_reader request;
    etf_reader_init(&request, bytes, length, box_request_depth(&program.box));
    struct etf_writer *reply = &program.reply;
    enum box_result result =
        box_begin(&program.box, &request.source, (uint64_t)time_ms * UINT64_C(1000000));
    wire_release(&program.in);
    if (wire_take_interrupts(&program.in, id) || program.interrupted)
        (void)box_interrupt(&program.box);
    program.interrupted = false;
    while (result == BOX_MORE) {
        etf_writer_reset(reply);
        result = box_step(&program.box, &reply->sink);
        if (result == BOX_MORE)
            program_look(NULL);
    }
    if (result != BOX_DONE) {
        etf_writer_reset(reply);
        if (box_explain(&program.box, result, &reply->sink) < 0)
            return EXIT_CODE_SYSTEM;
    }
    if (program_send(id) != WIRE_OK)
        _exit(EXIT_CODE_END);
    return result == BOX_DOWN ? program_down(program.box.down) : EXIT_CODE_END;
}

static enum exit_code program_usage(uint32_t id) {
    struct box_usage usage;
    struct etf_writer *reply = &program.reply;
    struct term_sink *sink = &reply->sink;
    etf_writer_reset(reply);
    enum box_result result = box_usage(&program.box, &usage);
    int code;
    if (result != BOX_DONE) {
        code = box_explain(&program.box, result, sink);
    } else {
        const uint64_t figures[] = {usage.bytes, usage.peak_bytes, usage.calls, usage.live_bytes};
        code = term_begin(sink, TERM_TUPLE, 2);
        if (code == 0)
            code = TERM_ATOM(sink, "ok");
        if (code == 0)
            code = term_begin(sink, TERM_TUPLE, 4);
        for (size_t i = 0; i < 4 && code == 0; i++)
            code = term_integer(sink, (int64_t)figures[i]);
        if (code == 0)
            code = term_end(sink, TERM_TUPLE, 4);
        if (code == 0)
            code = term_end(sink, TERM_TUPLE, 2);
    }
    if (code < 0)
        return EXIT_CODE_SYSTEM;
    if (program_send(id) != WIRE_OK)
        _exit(EXIT_CODE_END);
    return EXIT_CODE_END;
}

// The first frame of a request. Almost always the only one: its bytes are then used where they are.
static enum exit_code program_request(const struct wire_frame *frame) {
    struct program_request *request = &program.request;
    if (program_too_large(request->capacity, frame->total)) {
        free(request->bytes);
        request->bytes = NULL;
        request->capacity = 0;
    }
    if (frame->length == frame->total)
        return program_call(frame->id, frame->time_ms, frame->bytes, frame->length);
    if (frame->length > frame->total ||
        frame->total > program.limits.memory_bytes + PROGRAM_REQUEST_SLACK_BYTES)
        return EXIT_CODE_PROTOCOL;
    if (request->capacity < frame->total) {
        free(request->bytes);
        request->capacity = 0;
        request->bytes = malloc(frame->total);
        if (request->bytes == NULL)
            return EXIT_CODE_SYSTEM;
        request->capacity = frame->total;
    }
    request->begun = true;
    request->id = frame->id;
    request->time_ms = frame->time_ms;
    request->total = frame->total;
    request->have = frame->length;
    memcpy(request->bytes, frame->bytes, frame->length);
    return EXIT_CODE_END;
}

static enum exit_code program_more(const struct wire_frame *frame) {
    struct program_request *request = &program.request;
    if (!request->begun || frame->id != request->id || frame->length == 0 ||
        frame->length > request->total - request->have)
        return EXIT_CODE_PROTOCOL;
    memcpy(request->bytes + request->have, frame->bytes, frame->length);
    request->have += frame->length;
    if (request->have < request->total)
        return EXIT_CODE_END;
    request->begun = false;
    return program_call(request->id, request->time_ms, request->bytes, request->total);
}

static enum exit_code program_take(const struct wire_frame *frame) {
    bool begun = program.request.begun;
    switch (frame->kind) {
    case WIRE_REQUEST:
        return begun ? EXIT_CODE_PROTOCOL : program_request(frame);
    case WIRE_MORE:
        return program_more(frame);
    case WIRE_INTERRUPT:
        if (begun && wire_interrupts(frame->id, program.request.id))
            program.interrupted = true;
        return EXIT_CODE_END;
    case WIRE_USAGE:
        return begun ? EXIT_CODE_PROTOCOL : program_usage(frame->id);
    default:
        return EXIT_CODE_PROTOCOL;
    }
}

enum exit_code program_serve(void) {
    if (wire_hello(program.out_fd, SERVICE_ABI) != WIRE_OK)
        return EXIT_CODE_END;
    enum exit_code code = EXIT_CODE_END;
    while (code == EXIT_CODE_END) {
        struct wire_frame frame;
        switch (wire_next(&program.in, &frame)) {
        case WIRE_OK:
            code = program_take(&frame);
            break;
        case WIRE_NONE:
            if (wire_fill(&program.in) == WIRE_END)
                return EXIT_CODE_END;
            break;
        default:
            return EXIT_CODE_PROTOCOL;
        }
    }
    return code;
}
