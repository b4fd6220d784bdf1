// SPDX-License-Identifier: Apache-2.0
#include "driver_switch.h"

#include "census.h"
#include "driver_box.h"
#include "driver_frame.h"
#include "driver_log.h"

static ErlDrvSSizeT put_census(char *result) {
    struct census_total total = census_count();
    const uint64_t numbers[] = {total.boxes, total.bytes, total.calls};
    return driver_numbers_put(result, numbers, sizeof numbers / sizeof numbers[0]);
}

static ErlDrvSSizeT operate(unsigned int op, struct driver_box *box, ErlDrvTermData caller,
                            char *result) {
    switch (op) {
    case DRIVER_INTERRUPT:
        return driver_status_put(result, box_interrupt(&box->box) ? DRIVER_OK : DRIVER_LATER, NULL);
    case DRIVER_CLOSE:
        box_close(&box->box);
        return driver_status_put(result, DRIVER_OK, NULL);
    default:
        if (atomic_load_explicit(&box->owner, memory_order_relaxed) != caller)
            return driver_status_put(result, DRIVER_ERROR, "not_owner");
        return driver_status_put(result, DRIVER_OK, NULL);
    }
}

static ErlDrvSSizeT operate_by_id(unsigned int op, const char *frame, size_t length,
                                  ErlDrvTermData caller, char *result) {
    uint64_t id;
    if (!driver_id_read(frame, length, &id))
        return -1;
    struct driver_box *box = driver_box_find(id);
    if (box == NULL)
        return driver_status_put(result, DRIVER_ERROR, "closed");
    ErlDrvSSizeT put = operate(op, box, caller, result);
    driver_box_drop(box);
    return put;
}

ErlDrvSSizeT driver_switch_control(ErlDrvPort port, unsigned int op, const char *frame,
                                   size_t length, char *result) {
    switch (op) {
    case DRIVER_CENSUS:
        return put_census(result);
    case DRIVER_INTERRUPT:
    case DRIVER_CLOSE:
    case DRIVER_OWNED:
        return operate_by_id(op, frame, length, driver_caller(port), result);
    case DRIVER_CLOSE_ALL:
        driver_box_close_all();
        return driver_status_put(result, DRIVER_OK, NULL);
    case DRIVER_LOG:
        driver_log_to(driver_mk_port(port), driver_caller(port));
        return driver_status_put(result, DRIVER_OK, NULL);
    default:
        return -1;
    }
}
