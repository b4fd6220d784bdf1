// SPDX-License-Identifier: Apache-2.0
// A service that follows a script, so that a test decides what the box around it meets, and a room
// to lend it what it needs. Include it in one file of a test.
#ifndef TRIPOD_TEST_BOX_RIG_H
#define TRIPOD_TEST_BOX_RIG_H

#include "record.h"
#include "tested_box.h"

#define STATE_BYTES  ((size_t)96)
#define STEPS_MAX    8
#define LEAKED_BYTES ((size_t)24)

// What the next instance does, and what was done to it. One at a time is enough.
static struct script {
    int opens, begins;
    int steps[STEPS_MAX];
    struct box *close_in_begin, *close_in_step; // as another thread would, meanwhile
    bool leaks;                                 // close forgets LEAKED_BYTES
    // Observed.
    unsigned opened, begun, stepped, closed;
    uint32_t stop_seen; // by the last begin or step
    uint64_t time_ns;   // the limit that the last begin saw
    unsigned ticks, logs;
    void *leaked;
} script;

struct fake {
    const struct service_host *host;
    const struct service_limits *limits;
    unsigned step;
};

static inline int fake_open(const struct service_host *host, const struct service_limits *limits,
                            void **state) {
    script.opened++;
    struct fake *fake = host->memory(host->context, NULL, 0, STATE_BYTES);
    assert_non_null(fake);
    if (script.opens < 0) {
        (void)host->memory(host->context, fake, STATE_BYTES, 0);
        return script.opens;
    }
    *fake = (struct fake){.host = host, .limits = limits};
    *state = fake;
    return 0;
}

static inline int fake_begin(void *state, struct term_source *request) {
    struct fake *fake = state;
    assert_null(request);
    script.begun++;
    script.stop_seen = service_stopped(fake->host);
    script.time_ns = fake->limits->time_ns;
    fake->step = 0;
    if (script.close_in_begin != NULL)
        box_close(script.close_in_begin);
    return script.begins;
}

static inline int fake_step(void *state, struct term_sink *reply) {
    struct fake *fake = state;
    script.stepped++;
    if (script.close_in_step != NULL)
        box_close(script.close_in_step);
    script.stop_seen = service_stopped(fake->host);
    if (fake->host->tick != NULL)
        fake->host->tick(fake->host->context);
    fake->host->log(fake->host->context, SERVICE_LOG_INFO, "step", 4);
    assert_true(fake->host->now_ns(fake->host->context) == 42);
    int code = script.steps[fake->step++];
    return code == SERVICE_DONE ? TERM_ATOM(reply, "done") : code;
}

static inline void fake_usage(const void *state, struct service_usage *usage) {
    assert_non_null(state);
    usage->live_bytes = 77;
}

static inline void fake_close(void *state) {
    struct fake *fake = state;
    const struct service_host *host = fake->host;
    script.closed++;
    if (script.leaks)
        script.leaked = host->memory(host->context, NULL, 0, LEAKED_BYTES);
    (void)host->memory(host->context, fake, STATE_BYTES, 0);
}

static const struct service fake_service = {.abi = SERVICE_ABI,
                                            .name = "fake",
                                            .open = fake_open,
                                            .begin = fake_begin,
                                            .step = fake_step,
                                            .usage = fake_usage,
                                            .close = fake_close};

static inline void *room_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static inline uint64_t room_now_ns(void) {
    return 42;
}

static inline void room_tick(void *room_data) {
    assert_ptr_equal(room_data, &script);
    script.ticks++;
}

static inline void room_log(void *room_data, enum service_log_level level, const char *text,
                            size_t length) {
    assert_ptr_equal(room_data, &script);
    assert_int_equal(level, SERVICE_LOG_INFO);
    assert_memory_equal(text, "step", length);
    script.logs++;
}

static const struct box_room room = {
    .memory = room_memory, .now_ns = room_now_ns, .tick = room_tick, .log = room_log};
static const struct service_limits limits = {.time_ns = 1000};

static inline void assert_census(uint64_t boxes, uint64_t bytes, uint64_t calls) {
    struct census_total total = census_count();
    assert_int_equal(total.boxes, boxes);
    assert_int_equal(total.bytes, bytes);
    assert_int_equal(total.calls, calls);
}

static inline struct box *open_box(void) {
    assert_int_equal(tested_open(&fake_service, &limits, &room, &script), 0);
    assert_census(1, STATE_BYTES, 0);
    return &tested.box;
}

static inline void assert_gone(void) {
    assert_int_equal(script.closed, 1);
    assert_census(0, 0, 0);
}

static inline int each_starts_clean(void **state) {
    (void)state;
    memset(&script, 0, sizeof script);
    return 0;
}

#define FAKE_TEST(test) cmocka_unit_test_setup_teardown(test, each_starts_clean, tested_teardown)

// The reply, or the explanation, as record.h writes it; lives until the next one.
static inline const char *reply_of(struct box *box, enum box_result result) {
    static struct record record;
    record_release(&record);
    record_init(&record);
    assert_int_equal(box_explain(box, result, &record.sink), 0);
    assert_true(record_complete(&record));
    return record.text;
}

static inline enum box_result step_quietly(struct box *box) {
    struct record record;
    record_init(&record);
    enum box_result result = box_step(box, &record.sink);
    if (result == BOX_DONE)
        assert_string_equal(record.text, "'done'");
    record_release(&record);
    return result;
}

#endif
