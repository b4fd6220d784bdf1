// SPDX-License-Identifier: Apache-2.0
#include "driver_box.h"

#include "driver_log.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define FIRST_BUCKETS ((size_t)256)

static ErlDrvMutex *registry_mutex;
static struct driver_box **buckets; // guarded by registry_mutex, like all below
static size_t bucket_count;         // a power of two
static size_t box_count;
static uint64_t next_id;

static void *room_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size == 0) {
        if (block != NULL)
            driver_free(block);
        return NULL;
    }
    return block == NULL ? driver_alloc(size) : driver_realloc(block, size);
}

// A third of the cost of erl_drv_monotonic_time, which corrects the clock on the way.
static uint64_t room_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

// A call that has run for a millisecond has used up its process's turn: the VM charges a flat 40 of
// 4000 reductions for port_command however long it takes (ERTS_PORT_REDS_CMD_OUTPUTV, erl_port.h).
static void room_tick(void *room_data) {
    struct driver_box *box = room_data;
    (void)erl_drv_consume_timeslice(box->port, 100);
}

static void room_log(void *room_data, enum service_log_level level, const char *text,
                     size_t length) {
    (void)room_data;
    driver_log(level, text, length);
}

static const struct box_room inline_room = {
    .memory = room_memory,
    .now_ns = room_now_ns,
    .tick = room_tick,
    .log = room_log,
};

// Nobody's turn to use up.
static const struct box_room async_room = {
    .memory = room_memory,
    .now_ns = room_now_ns,
    .log = room_log,
};

int driver_box_init(void) {
    registry_mutex = erl_drv_mutex_create("tripod_port_driver_registry");
    buckets = driver_alloc(FIRST_BUCKETS * sizeof *buckets);
    if (registry_mutex == NULL || buckets == NULL) {
        driver_box_finish();
        return -1;
    }
    for (size_t i = 0; i < FIRST_BUCKETS; i++)
        buckets[i] = NULL;
    bucket_count = FIRST_BUCKETS;
    box_count = 0;
    // Ids of an earlier load of this library must not come back: handles keep them. No load opens
    // boxes faster than one a nanosecond, so starting from the clock is enough.
    next_id = (uint64_t)(erl_drv_monotonic_time(ERL_DRV_NSEC) + erl_drv_time_offset(ERL_DRV_NSEC));
    return 0;
}

void driver_box_finish(void) {
    if (registry_mutex != NULL)
        erl_drv_mutex_destroy(registry_mutex);
    if (buckets != NULL)
        driver_free(buckets);
    registry_mutex = NULL;
    buckets = NULL;
}

static struct driver_box **registry_bucket(uint64_t id) {
    return &buckets[(size_t)id & (bucket_count - 1)];
}

// Without memory the buckets stay as they are, and lookups become slower.
static void registry_grow(void) {
    size_t old_count = bucket_count;
    struct driver_box **old = buckets;
    struct driver_box **wider = driver_alloc(2 * old_count * sizeof *wider);
    if (wider == NULL)
        return;
    for (size_t i = 0; i < 2 * old_count; i++)
        wider[i] = NULL;
    buckets = wider;
    bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct driver_box *box = old[i];
            old[i] = box->next;
            struct driver_box **bucket = registry_bucket(box->id);
            box->next = *bucket;
            *bucket = box;
        }
    }
    driver_free(old);
}

static void registry_enter(struct driver_box *box) {
    erl_drv_mutex_lock(registry_mutex);
    if (box_count >= bucket_count)
        registry_grow();
    box->id = next_id++;
    struct driver_box **bucket = registry_bucket(box->id);
    box->next = *bucket;
    *bucket = box;
    box_count += 1;
    erl_drv_mutex_unlock(registry_mutex);
}

static void registry_leave(struct driver_box *box) {
    erl_drv_mutex_lock(registry_mutex);
    struct driver_box **link = registry_bucket(box->id);
    while (*link != box)
        link = &(*link)->next;
    *link = box->next;
    box_count -= 1;
    erl_drv_mutex_unlock(registry_mutex);
}

int driver_box_open(ErlDrvPort port, ErlDrvTermData owner, const struct service *service,
                    const struct service_limits *limits, bool async, struct driver_box **out) {
    struct driver_box *box = driver_alloc(sizeof *box);
    if (box == NULL)
        return SERVICE_E_SYSTEM;
    int code = box_open(&box->box, service, limits, async ? &async_room : &inline_room, box);
    if (code < 0) {
        driver_free(box);
        return code;
    }
    box->port = port;
    atomic_init(&box->owner, owner);
    atomic_init(&box->references, 1);
    registry_enter(box);
    *out = box;
    return 0;
}

struct driver_box *driver_box_find(uint64_t id) {
    erl_drv_mutex_lock(registry_mutex);
    struct driver_box *box = *registry_bucket(id);
    while (box != NULL && box->id != id)
        box = box->next;
    // Under the mutex the port's own reference is still there, so the count is not 0.
    if (box != NULL)
        driver_box_share(box);
    erl_drv_mutex_unlock(registry_mutex);
    return box;
}

void driver_box_share(struct driver_box *box) {
    (void)atomic_fetch_add_explicit(&box->references, 1, memory_order_relaxed);
}

void driver_box_drop(struct driver_box *box) {
    if (atomic_fetch_sub_explicit(&box->references, 1, memory_order_acq_rel) == 1)
        driver_free(box);
}

void driver_box_retire(struct driver_box *box) {
    registry_leave(box);
    box_close(&box->box);
    driver_box_drop(box);
}

void driver_box_close_all(void) {
    size_t found = 0;
    erl_drv_mutex_lock(registry_mutex);
    struct driver_box **boxes = driver_alloc((box_count + 1) * sizeof *boxes);
    for (size_t i = 0; i < bucket_count; i++)
        for (struct driver_box *box = buckets[i]; box != NULL; box = box->next) {
            if (boxes == NULL) {
                (void)box_interrupt(&box->box);
                continue;
            }
            driver_box_share(box);
            boxes[found++] = box;
        }
    erl_drv_mutex_unlock(registry_mutex);
    for (size_t i = 0; i < found; i++) {
        box_close(&boxes[i]->box);
        driver_box_drop(boxes[i]);
    }
    if (boxes != NULL)
        driver_free(boxes);
}
