// SPDX-License-Identifier: Apache-2.0
// A box behind a port of the driver is given away, and its giver and its heir die before, meanwhile
// and after that, in every order. In the VM the port's lock makes it an order; which one it is
// going to be, nobody can say there.
#include "vm_ports.h"

#include "census.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

ErlDrvEntry *driver_init(void);

// As in driver_frame.h, which a test of what the VM sees leaves alone.
enum { OPEN = 2, USAGE = 3, MAY_GIVE = 4, GIVE = 5 };
enum { OK, ERROR };
enum { GIVER = 1, HEIR, NEXT };

static ErlDrvEntry *driver;
static char result[VM_RESULT_BYTES];

static void put(char *frame, size_t at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        frame[at + i] = (char)(value >> 8 * (bytes - 1 - i));
}

static bool is_error(ErlDrvSSizeT size, const char *reason) {
    return size == (ErlDrvSSizeT)strlen(reason) + 1 && result[0] == ERROR &&
           memcmp(result + 1, reason, strlen(reason)) == 0;
}

static void open_box(void) {
    char frame[30 + 4];
    put(frame, 0, 1 << 20, 8);
    put(frame, 8, 1000, 8);
    put(frame, 16, 1 << 20, 8);
    put(frame, 24, 200, 4);
    put(frame, 28, 0x0100, 2); // preempt by counting, inline
    memcpy(frame + 30, "echo", 4);
    vm_pids_reset();
    assert_non_null(vm_port_open(driver, GIVER, "tripod_port_driver"));
    assert_int_equal(vm_port_control(GIVER, OPEN, frame, sizeof frame, result), 9);
    assert_int_equal(result[0], OK);
}

static bool owns(ErlDrvTermData pid) {
    char id[8] = {0};
    return vm_port_control(pid, USAGE, id, sizeof id, result) > 1 && result[0] == OK;
}

// As tripod_port_driver:give_away/2 does. True: it is the heir's.
static bool give(ErlDrvTermData giver, ErlDrvTermData heir) {
    if (vm_port_control(giver, MAY_GIVE, NULL, 0, result) != 1 || result[0] != OK)
        return false;
    vm_port_connect(heir);
    ErlDrvSSizeT size = vm_port_control(giver, GIVE, NULL, 0, result);
    if (size == 1 && result[0] == OK)
        return true;
    assert_true(is_error(size, "noproc") || is_error(size, "closed"));
    vm_port_connect(giver);
    return false;
}

static void assert_only_watched(ErlDrvTermData pid) {
    for (ErlDrvTermData other = GIVER; other <= NEXT; other++)
        assert_int_equal(vm_port_monitors(other), other == pid ? 1 : 0);
}

static void assert_nothing_left(void) {
    vm_port_close();
    assert_int_equal(census_count().boxes, 0);
    assert_int_equal(census_count().bytes, 0);
}

// The giver's death was under way when its monitor was removed, and is told afterwards.
static void a_former_owners_death_is_no_concern_of_the_box(void **state) {
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        open_box();
        vm_pid_ends(GIVER);
        assert_true(give(GIVER, HEIR));
        vm_pid_ended(GIVER, late);
        vm_port_rests();
        assert_true(vm_port_is_open());
        assert_true(owns(HEIR));
        assert_only_watched(HEIR);
        assert_nothing_left();
    }
}

static void the_heirs_death_ends_the_box(void **state) {
    (void)state;
    open_box();
    assert_true(give(GIVER, HEIR));
    vm_pid_ends(HEIR);
    vm_pid_ended(HEIR, false);
    assert_int_equal(census_count().boxes, 0);
    assert_true(vm_port_is_open()); // the VM still needs it
    vm_port_rests();
    assert_false(vm_port_is_open());
    assert_nothing_left();
}

static void a_dead_heir_gets_nothing(void **state) {
    (void)state;
    open_box();
    vm_pid_ends(HEIR);
    assert_false(give(GIVER, HEIR));
    vm_pid_ended(HEIR, true);
    vm_port_rests();
    assert_true(owns(GIVER));
    assert_only_watched(GIVER);
    assert_nothing_left();
}

// Its request was queued, and comes to the port after its death did.
static void a_dead_giver_gives_nothing(void **state) {
    (void)state;
    open_box();
    vm_pid_ends(GIVER);
    vm_pid_ended(GIVER, false);
    assert_false(give(GIVER, HEIR));
    assert_int_equal(vm_port_monitors(HEIR), 0);
    vm_port_rests();
    assert_false(vm_port_is_open());
    assert_nothing_left();
}

static void there_and_back_leaves_one_monitor(void **state) {
    (void)state;
    open_box();
    for (unsigned i = 0; i < 3; i++) {
        assert_true(give(GIVER, HEIR));
        assert_only_watched(HEIR);
        assert_true(give(HEIR, GIVER));
        assert_only_watched(GIVER);
        assert_true(give(GIVER, GIVER));
        assert_only_watched(GIVER);
    }
    assert_false(owns(HEIR));
    assert_nothing_left();
}

static int load(void **state) {
    (void)state;
    driver = driver_init();
    return driver->init();
}

static int unload(void **state) {
    (void)state;
    driver->finish();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_former_owners_death_is_no_concern_of_the_box),
        cmocka_unit_test(the_heirs_death_ends_the_box),
        cmocka_unit_test(a_dead_heir_gets_nothing),
        cmocka_unit_test(a_dead_giver_gives_nothing),
        cmocka_unit_test(there_and_back_leaves_one_monitor),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
