// SPDX-License-Identifier: Apache-2.0
// A box is given away, closed, or loses its owner, and at any one or two moments of that something
// else happens to it: every combination, one after the other, on the stand-in for the VM. Where a
// thread would have to be faster than another by a few instructions, the stand-in is told to be.
//
// Whatever happened, at the end the box is one living owner's, which alone is watched; or it is
// closed, nobody is watched, and there was somebody who closed it or died while it was the owner.
#include "nif_rig.h"

#include <string.h>

enum { GIVER, HEIR, NEXT, STRANGER, PROCESSES };
enum event {
    GIVE,  // the giver to the heir
    CLOSE, // the stranger
    GIVER_DIES,
    FIRST_EVENT = GIVER_DIES,
    HEIR_DIES,
    STRANGER_CLOSES,
    HEIR_GIVES, // to the next
    NEXT_DIES,
    EVENTS
};
enum { BEGINNINGS = FIRST_EVENT + 1 };

enum gift { NONE, GIVEN, NOPROC, CLOSED, NOT_OWNER };

static size_t resources; // that an earlier test left when it failed

// One story; begun anew for each combination.
static struct {
    ErlNifEnv envs[PROCESSES];
    ERL_NIF_TERM handles[PROCESSES];
    enum gift gifts[PROCESSES]; // what the giver's and the heir's came to
    bool giving;                // the giver is at it
    bool closed;                // somebody asked for that
} story;

// How often each event happened at each moment, before anything else did.
static unsigned met[VM_MOMENTS][EVENTS];
static struct plan {
    enum vm_moment moment;
    enum event event;
} plans[2];

static ERL_NIF_TERM atom_in(ERL_NIF_TERM reply, unsigned i) {
    return reply != 0 && vm_tag(reply) == VM_TAG_NODE ? vm_element(reply, i) : reply;
}

static ERL_NIF_TERM call(unsigned who, const char *name, int argc, ERL_NIF_TERM other) {
    const ERL_NIF_TERM argv[] = {story.handles[who], other};
    return vm_call(library, &story.envs[who], name, argc, argv);
}

static enum gift give(unsigned from, unsigned to) {
    ERL_NIF_TERM reply = call(from, "give_away", 2, vm_pid(story.envs[to].process));
    if (reply == vm_atom("ok"))
        return GIVEN;
    ERL_NIF_TERM why = atom_in(reply, 1);
    assert_true(why == vm_atom("noproc") || why == vm_atom("closed") ||
                why == vm_atom("not_owner"));
    return why == vm_atom("noproc") ? NOPROC : why == vm_atom("closed") ? CLOSED : NOT_OWNER;
}

static void happen(enum event event) {
    switch (event) {
    case GIVE:
        if (story.giving)
            break;
        story.giving = true;
        story.gifts[GIVER] = give(GIVER, HEIR);
        break;
    case CLOSE:
    case STRANGER_CLOSES:
        story.closed = true;
        (void)call(STRANGER, "close", 1, 0);
        break;
    case GIVER_DIES:
        vm_exit(story.envs[GIVER].process);
        break;
    case HEIR_DIES:
        vm_exit(story.envs[HEIR].process);
        break;
    case HEIR_GIVES:
        if (vm_alive(story.envs[HEIR].process) && story.gifts[HEIR] == NONE)
            story.gifts[HEIR] = give(HEIR, NEXT);
        break;
    case NEXT_DIES:
        vm_exit(story.envs[NEXT].process);
        break;
    case EVENTS:
        abort();
    }
}

static void meet(void *data) {
    const struct plan *plan = data;
    met[plan->moment][plan->event]++;
    happen(plan->event);
}

static void begin_story(void) {
    memset(&story, 0, sizeof story);
    resources = vm_resources();
    for (unsigned i = 0; i < VM_MOMENTS; i++)
        vm_at((enum vm_moment)i, NULL, NULL);
    for (unsigned i = 0; i < PROCESSES; i++)
        story.envs[i].process = vm_spawn();
    ERL_NIF_TERM handle = nif_rig_open_echo(&story.envs[GIVER]);
    for (unsigned i = 0; i < PROCESSES; i++)
        story.handles[i] = enif_make_copy(&story.envs[i], handle);
}

// Who owns the box; PROCESSES: it is closed.
static unsigned owner(void) {
    unsigned found = PROCESSES;
    for (unsigned i = 0; i < PROCESSES; i++) {
        ERL_NIF_TERM reply = call(i, "usage", 1, 0);
        if (atom_in(reply, 0) != vm_atom("error")) {
            assert_int_equal(found, PROCESSES);
            found = i;
        }
    }
    return found;
}

// As far as the answers tell.
static unsigned last_owner(void) {
    if (story.gifts[HEIR] == GIVEN)
        return NEXT;
    return story.gifts[GIVER] == GIVEN ? HEIR : GIVER;
}

static bool dead(unsigned who) {
    return !vm_alive(story.envs[who].process);
}

static bool gifts_right(void) {
    if (story.gifts[GIVER] == CLOSED)
        return story.closed || dead(GIVER);
    return story.gifts[GIVER] != NOPROC || dead(HEIR);
}

static bool story_right(void) {
    unsigned now = owner(), last = last_owner();
    for (unsigned i = 0; i < PROCESSES; i++)
        if (vm_monitors(story.envs[i].process) != (i == now ? 1 : 0))
            return false;
    bool box_right =
        now == PROCESSES ? story.closed || dead(last) : now == last && !dead(last) && !story.closed;
    return box_right && gifts_right();
}

static void end_story(void) {
    for (unsigned i = 0; i < PROCESSES; i++) {
        vm_exit(story.envs[i].process);
        enif_clear_env(&story.envs[i]);
    }
    assert_int_equal(vm_resources(), resources);
    vm_forget();
}

static void tell(enum event beginning, const struct plan *first, const struct plan *second) {
    plans[0] = *first;
    plans[1] = *second;
    begin_story();
    vm_at(plans[1].moment, meet, &plans[1]);
    vm_at(plans[0].moment, meet, &plans[0]); // in the second's place, if it is the same moment
    happen(beginning);
    for (unsigned i = 0; i < VM_MOMENTS; i++)
        vm_at((enum vm_moment)i, NULL, NULL);
    if (!story_right())
        fail_msg("beginning %u, event %u at moment %u, event %u at moment %u", beginning,
                 first->event, first->moment, second->event, second->moment);
    end_story();
}

static void every_pair_of_moments_is_survived(void **state) {
    (void)state;
    unsigned stories = 0;
    for (unsigned beginning = 0; beginning < BEGINNINGS; beginning++)
        for (unsigned one = 0; one < VM_MOMENTS * EVENTS; one++)
            for (unsigned other = 0; other < VM_MOMENTS * EVENTS; other++, stories++) {
                const struct plan first = {(enum vm_moment)(one / EVENTS),
                                           (enum event)(one % EVENTS)};
                const struct plan second = {(enum vm_moment)(other / EVENTS),
                                            (enum event)(other % EVENTS)};
                tell((enum event)beginning, &first, &second);
            }
    print_message("%u stories\n", stories);
    for (unsigned i = 0; i < VM_MOMENTS * EVENTS; i++)
        assert_true(met[i / EVENTS][i % EVENTS] > 0);
}

// The giver is dead, and its monitor has fired, when it gives the box away and dies of it only
// afterwards: what a NIF on a dirty scheduler could do.
static void a_former_owners_death_is_no_concern_of_the_box(void **state) {
    (void)state;
    begin_story();
    plans[0] = (struct plan){VM_FIRES, GIVE};
    vm_at(VM_FIRES, meet, &plans[0]);
    vm_exit(story.envs[GIVER].process);
    assert_int_equal(story.gifts[GIVER], GIVEN);
    assert_int_equal(owner(), HEIR);
    assert_int_equal(vm_monitors(story.envs[HEIR].process), 1);
    end_story();
}

// It dies after it is watched and before it is the owner: the gift is made, and the box goes with
// it. The giver is not told that somebody closed the box.
static void an_heir_that_dies_early_takes_the_box_along(void **state) {
    (void)state;
    begin_story();
    plans[0] = (struct plan){VM_MONITORED, HEIR_DIES};
    vm_at(VM_MONITORED, meet, &plans[0]);
    happen(GIVE);
    assert_int_equal(story.gifts[GIVER], GIVEN);
    assert_int_equal(owner(), PROCESSES);
    end_story();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_moments_is_survived),
        cmocka_unit_test(a_former_owners_death_is_no_concern_of_the_box),
        cmocka_unit_test(an_heir_that_dies_early_takes_the_box_along),
    };
    return cmocka_run_group_tests(tests, nif_rig_load, nif_rig_unload);
}
