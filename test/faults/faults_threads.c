// SPDX-License-Identifier: Apache-2.0
// On which kind of thread the decorated service was begun, stepped and done, told by the threads'
// own names, so that it does not depend on what a room believes.
//
// The VM's threads: "1_scheduler" and "1_dirty_cpu_sch" in OTP 25, "erts_sched_1" and
// "erts_dcpus_1" later (erl_process.c); the NIF library's own: "tripod_nif".
#include "faults.h"

#include <pthread.h>
#include <string.h>

static enum faults_thread faults_thread_find(void) {
    char name[16];
    if (pthread_getname_np(pthread_self(), name, sizeof name) != 0)
        return FAULTS_THREAD_OTHER;
    if (strstr(name, "dirty_cpu") != NULL || strstr(name, "dcpus") != NULL)
        return FAULTS_THREAD_DIRTY;
    if (strstr(name, "_sched") != NULL && strstr(name, "dirty") == NULL)
        return FAULTS_THREAD_NORMAL;
    return strcmp(name, "tripod_nif") == 0 ? FAULTS_THREAD_OWN : FAULTS_THREAD_OTHER;
}

// Asked once: the port program's one thread opens the service before it may ask no more.
enum faults_thread faults_thread_kind(void) {
    static _Thread_local enum faults_thread kind = FAULTS_THREAD_KINDS;
    if (kind == FAULTS_THREAD_KINDS)
        kind = faults_thread_find();
    return kind;
}

int faults_threads_tell(const struct faults_threads *threads, struct term_sink *reply) {
    const unsigned *const rows[3] = {threads->begun, threads->stepped, threads->done};
    int code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "ok");
    if (code == 0)
        code = term_begin(reply, TERM_LIST, 3);
    for (size_t row = 0; code == 0 && row < 3; row++) {
        code = term_begin(reply, TERM_LIST, FAULTS_THREAD_KINDS);
        for (size_t kind = 0; code == 0 && kind < FAULTS_THREAD_KINDS; kind++)
            code = term_integer(reply, rows[row][kind]);
        if (code == 0)
            code = term_end(reply, TERM_LIST, FAULTS_THREAD_KINDS);
    }
    if (code == 0)
        code = term_end(reply, TERM_LIST, 3);
    return code < 0 ? code : term_end(reply, TERM_TUPLE, 2);
}
