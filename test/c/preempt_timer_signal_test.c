// SPDX-License-Identifier: Apache-2.0
// What the preemption timer does to the process around it: one signal, unblocked only in threads
// that enter, its earlier handler kept, everything put back.
#include "timer_rig.h"

#include <unistd.h>

// The signals that the timer may take, without the very last: valgrind keeps that one for itself.
#define FIRST (SIGRTMIN + 4)
#define LAST  (SIGRTMAX - 1)

static void (*handler_of(int signal))(int, siginfo_t *, void *) {
    struct sigaction action;
    assert_int_equal(sigaction(signal, NULL, &action), 0);
    return (action.sa_flags & SA_SIGINFO) ? action.sa_sigaction : NULL;
}

static bool is_default(int signal) {
    struct sigaction action;
    assert_int_equal(sigaction(signal, NULL, &action), 0);
    return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL;
}

// While the timer runs: the one signal that somebody handles.
static int signal_in_use(void) {
    int found = 0;
    for (int signal = FIRST; signal <= LAST; signal++) {
        if (!is_default(signal)) {
            assert_int_equal(found, 0);
            found = signal;
        }
    }
    assert_int_not_equal(found, 0);
    return found;
}

static void run_until_tapped(sig_atomic_t times) {
    struct target target = {0};
    assert_true(target_enter(&target));
    assert_true(spin_until(&target, times));
    target_leave(&target);
    assert_int_equal(target.strays, 0);
}

static void takes_one_signal_and_puts_it_back(void **state) {
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(rig_start(), 0);
        int signal = signal_in_use();
        struct sigaction action;
        assert_int_equal(sigaction(signal, NULL, &action), 0);
        assert_int_equal(action.sa_flags & (SA_ONSTACK | SA_RESTART | SA_SIGINFO),
                         SA_ONSTACK | SA_RESTART | SA_SIGINFO);
        run_until_tapped(2);
        rig_stop();
        for (int each = FIRST; each <= LAST; each++)
            assert_true(is_default(each));
    }
}

static sigset_t mask_now(void) {
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return mask;
}

struct bystander {
    pthread_t thread;
    pthread_barrier_t barrier;
    bool enters, unchanged;
    int unblocked; // the only signal that was unblocked, if `enters`
};

static bool masks_equal_but_for(const sigset_t *left, const sigset_t *right, int except) {
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (signal != except && sigismember(left, signal) != sigismember(right, signal))
            return false;
    return true;
}

static void *bystander_main(void *context) {
    struct bystander *bystander = context;
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    sigset_t before, after;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    pthread_barrier_wait(&bystander->barrier);
    struct target target = {0};
    if (bystander->enters && target_enter(&target)) {
        (void)spin_until(&target, 2);
        target_leave(&target);
    }
    pthread_barrier_wait(&bystander->barrier);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int signal = FIRST; signal <= LAST; signal++)
        if (sigismember(&before, signal) && !sigismember(&after, signal))
            bystander->unblocked = signal;
    bystander->unchanged = masks_equal_but_for(&before, &after, bystander->unblocked);
    return NULL;
}

static void unblocks_its_signal_only_where_somebody_enters(void **state) {
    (void)state;
    sigset_t mine = mask_now();
    struct bystander two[2] = {{.enters = false}, {.enters = true}};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_barrier_init(&two[i].barrier, NULL, 2), 0);
        assert_int_equal(pthread_create(&two[i].thread, NULL, bystander_main, &two[i]), 0);
    }
    assert_int_equal(rig_start(), 0);
    int signal = signal_in_use();
    for (unsigned i = 0; i < 2; i++) {
        pthread_barrier_wait(&two[i].barrier);
        pthread_barrier_wait(&two[i].barrier);
        assert_int_equal(pthread_join(two[i].thread, NULL), 0);
        assert_true(two[i].unchanged);
        assert_int_equal(two[i].unblocked, two[i].enters ? signal : 0);
        pthread_barrier_destroy(&two[i].barrier);
    }
    rig_stop();
    sigset_t still = mask_now();
    assert_true(masks_equal_but_for(&mine, &still, 0));
}

static volatile sig_atomic_t theirs_called;

static void theirs_plain(int signal) {
    (void)signal;
    theirs_called = theirs_called + 1;
}

static void theirs_with_info(int signal, siginfo_t *info, void *context) {
    (void)context;
    if (info->si_signo == signal)
        theirs_called = theirs_called + 1;
}

static void handle(int signal, bool with_info) {
    struct sigaction action = {.sa_flags = with_info ? SA_SIGINFO : 0};
    if (with_info)
        action.sa_sigaction = theirs_with_info;
    else
        action.sa_handler = theirs_plain;
    int failed = sigaction(signal, &action, NULL);
    assert_true(failed == 0 || signal == SIGRTMAX);
}

static void occupy_all(bool with_info) {
    for (int signal = FIRST; signal <= SIGRTMAX; signal++)
        handle(signal, with_info);
}

static void vacate(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    int failed = sigaction(signal, &action, NULL);
    assert_true(failed == 0 || signal == SIGRTMAX);
}

static void vacate_all(void) {
    for (int signal = FIRST; signal <= SIGRTMAX; signal++)
        vacate(signal);
}

static void leaves_signals_alone_that_others_use(void **state) {
    (void)state;
    occupy_all(true);
    vacate(LAST);
    theirs_called = 0;
    assert_int_equal(rig_start(), 0);
    for (int signal = FIRST; signal < LAST; signal++)
        assert_true(handler_of(signal) == theirs_with_info);
    assert_false(is_default(LAST));
    run_until_tapped(2);
    rig_stop();
    assert_true(is_default(LAST));
    assert_int_equal(theirs_called, 0);
}

static void passes_on_what_is_not_its_own(void **state) {
    (void)state;
    for (unsigned with_info = 0; with_info <= 1; with_info++) {
        occupy_all(with_info);
        assert_int_equal(rig_start(), 0); // shares one
        theirs_called = 0;
        sig_atomic_t sent = 0;
        for (int signal = FIRST; signal <= LAST; signal++, sent++)
            assert_int_equal(raise(signal), 0); // no slot yet
        assert_int_equal(theirs_called, sent);
        run_until_tapped(5);
        assert_int_equal(theirs_called, sent); // the timer's own went nowhere else
        struct target target = {0};
        assert_true(target_enter(&target));
        for (int signal = FIRST; signal <= LAST; signal++, sent++)
            assert_int_equal(raise(signal), 0); // from within a run
        assert_true(spin_until(&target, 3));
        target_leave(&target);
        rig_stop();
        assert_int_equal(theirs_called, sent);
        for (int signal = FIRST; signal <= LAST; signal++)
            assert_int_equal(handler_of(signal) == theirs_with_info, with_info);
        vacate_all();
    }
}

static void survives_a_stray_signal(void **state) {
    (void)state;
    assert_int_equal(rig_start(), 0);
    assert_int_equal(raise(signal_in_use()), 0);
    run_until_tapped(1);
    assert_int_equal(raise(signal_in_use()), 0);
    rig_stop();
}

static void leaves_a_handler_alone_that_came_later(void **state) {
    (void)state;
    assert_int_equal(rig_start(), 0);
    int signal = signal_in_use();
    handle(signal, true);
    rig_stop();
    assert_true(handler_of(signal) == theirs_with_info);
}

// Signals of this kind queue up: each one that was sent again arrives beside the first.
static void what_was_sent_again_is_its_own_too(void **state) {
    (void)state;
    occupy_all(true);
    assert_int_equal(rig_start(), 0);
    sigset_t set;
    (void)sigfillset(&set);
    struct target target = {0};
    theirs_called = 0;
    assert_true(target_enter(&target));
    for (uint64_t ns = 150 * MS; target.fires < RIG_QUEUE && ns < DEADLINE_NS; ns *= 2) {
        target.fires = 0;
        assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
        for (uint64_t from_ns = now_ns(); now_ns() - from_ns < ns;)
            spin_once();
        assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    }
    assert_true(target.fires >= RIG_QUEUE);
    target_leave(&target);
    rig_stop();
    assert_int_equal(theirs_called + target.strays, 0);
}

static void a_swallowed_signal_is_sent_again(void **state) {
    (void)state;
    assert_int_equal(rig_start(), 0);
    int signal = signal_in_use();
    struct sigaction ours;
    assert_int_equal(sigaction(signal, NULL, &ours), 0);
    struct target target = {0};
    assert_true(target_enter(&target));
    theirs_called = 0;
    handle(signal, true);
    uint64_t began_ns = now_ns();
    while (theirs_called == 0 && now_ns() - began_ns < DEADLINE_NS)
        spin_once();
    assert_int_equal(sigaction(signal, &ours, NULL), 0);
    assert_true(theirs_called > 0);
    assert_true(spin_until(&target, target.fires + 1));
    target_leave(&target);
    rig_stop();
}

static sigset_t only(int signal) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal);
    return set;
}

static void let_through(int signal) {
    sigset_t set = only(signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static bool is_pending(int signal) {
    sigset_t pending;
    (void)sigpending(&pending);
    return sigismember(&pending, signal) == 1;
}

// Within a run: keeps the timer's signal from arriving until it is unblocked. False at a deadline.
static bool hold_back(int signal) {
    sigset_t set = only(signal);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    uint64_t began_ns = now_ns();
    while (!is_pending(signal))
        if (now_ns() - began_ns > DEADLINE_NS)
            return false;
    return true;
}

static void a_late_signal_fires_nothing_or_for_the_next_run(void **state) {
    (void)state;
    assert_int_equal(rig_start(), 0);
    int signal = signal_in_use();
    struct target first = {0}, second = {0};
    assert_true(target_enter(&first));
    assert_true(hold_back(signal));
    target_leave(&first);
    let_through(signal);
    assert_false(is_pending(signal));
    assert_true(target_enter(&first));
    assert_true(hold_back(signal));
    sig_atomic_t fires = first.fires;
    assert_int_equal(first.strays, 0);
    target_leave(&first);
    assert_true(target_enter(&second));
    let_through(signal);
    assert_true(second.fires >= 1);
    target_leave(&second);
    assert_int_equal(first.fires, fires);
    assert_int_equal(first.strays + second.strays, 0);
    rig_stop();
}

static void the_watchdog_takes_no_signal_of_the_process(void **state) {
    (void)state;
    theirs_called = 0;
    handle(SIGUSR1, false);
    assert_int_equal(rig_start(), 0);
    sigset_t set = only(SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    run_until_tapped(3); // the watchdog was awake
    assert_int_equal(theirs_called, 0);
    assert_true(is_pending(SIGUSR1));
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    assert_int_equal(theirs_called, 1);
    rig_stop();
}

// A signal that the thread does not take before stop must not meet the default disposition, which
// is to end the process.
struct late {
    pthread_t thread;
    pthread_barrier_t barrier;
    int signal;
    bool held_back;
};

static void *late_main(void *context) {
    struct late *late = context;
    struct target target = {0};
    if (target_enter(&target)) {
        late->held_back = hold_back(late->signal);
        target_leave(&target);
    }
    pthread_barrier_wait(&late->barrier);
    pthread_barrier_wait(&late->barrier); // stopped
    let_through(late->signal);
    return NULL;
}

static void no_signal_outlives_the_timer(void **state) {
    (void)state;
    struct late late = {.held_back = false};
    assert_int_equal(pthread_barrier_init(&late.barrier, NULL, 2), 0);
    assert_int_equal(rig_start(), 0);
    late.signal = signal_in_use();
    assert_int_equal(pthread_create(&late.thread, NULL, late_main, &late), 0);
    pthread_barrier_wait(&late.barrier);
    rig_stop();
    pthread_barrier_wait(&late.barrier);
    assert_int_equal(pthread_join(late.thread, NULL), 0);
    assert_true(late.held_back);
    pthread_barrier_destroy(&late.barrier);
}

static int leave_nothing_behind(void **state) {
    (void)rig_teardown(state);
    vacate_all();
    vacate(SIGUSR1);
    sigset_t none;
    (void)sigemptyset(&none);
    return pthread_sigmask(SIG_SETMASK, &none, NULL);
}

#define SIGNAL_TEST(test) cmocka_unit_test_teardown(test, leave_nothing_behind)

int main(void) {
    const struct CMUnitTest tests[] = {
        SIGNAL_TEST(takes_one_signal_and_puts_it_back),
        SIGNAL_TEST(unblocks_its_signal_only_where_somebody_enters),
        SIGNAL_TEST(leaves_signals_alone_that_others_use),
        SIGNAL_TEST(passes_on_what_is_not_its_own),
        SIGNAL_TEST(survives_a_stray_signal),
        SIGNAL_TEST(leaves_a_handler_alone_that_came_later),
        SIGNAL_TEST(what_was_sent_again_is_its_own_too),
        SIGNAL_TEST(a_swallowed_signal_is_sent_again),
        SIGNAL_TEST(a_late_signal_fires_nothing_or_for_the_next_run),
        SIGNAL_TEST(the_watchdog_takes_no_signal_of_the_process),
        SIGNAL_TEST(no_signal_outlives_the_timer),
    };
    return cmocka_run_group_tests_name("preempt_timer_signal", tests, NULL, NULL);
}
