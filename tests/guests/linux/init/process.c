/*
 * process.c: fork, exec of this program, wait, copy on write; a token that goes round; threads that share memory.
 */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN = 4, ROUNDS = 50, THREADS = 3, STEPS = 300 };

static uint32_t written[2 * PAGE / sizeof(uint32_t)] = { 1 };

// After exec: arguments and environment are what the parent handed on, data is as in the file, the parent is still there
int child_main(int argc, char **argv, char **environment)
{
    check_name = "child";
    if (argc != 4 || strcmp(argv[1], "child") != 0 || getppid() != atoi(argv[3])) {
        fail("argc=%d", argc);
    }
    if (environment[0] == NULL || strcmp(environment[0], "GUEST=linux") != 0 || environment[1] != NULL) {
        fail("the environment is another one");
    }
    if (written[0] != 1) {
        fail("data was not loaded anew");
    }
    return 40 + atoi(argv[2]);
}

static void exec_self(unsigned index)
{
    char number[] = { (char)('0' + index), '\0' };
    char parent[16];
    char *arguments[] = { "/init", "child", number, parent, NULL };
    char *environment[] = { "GUEST=linux", NULL };

    snprintf(parent, sizeof parent, "%d", (int)getppid());
    written[0] = 2;
    execve("/init", arguments, environment);
    fail("exec returned");
}

// All at once; a second wait finds nobody
static void check_exec(void)
{
    pid_t children[CHILDREN];

    for (unsigned i = 0; i < CHILDREN; i++) {
        children[i] = start_child();
        if (children[i] == 0) {
            exec_self(i);
        }
    }
    for (unsigned i = CHILDREN; i-- > 0;) {
        expect_exit(children[i], 40 + (int)i);
    }
    if (wait(NULL) != -1) {
        fail("wait found a child that nobody started");
    }
}

// What a child writes is its own
static void check_copy_on_write(void)
{
    pid_t child;

    memset(written, 0x55, sizeof written);
    child = start_child();
    if (child == 0) {
        memset(written, 0xAA, sizeof written);
        _exit(written[PAGE / 4] == 0xAAAAAAAA ? 7 : 8);
    }
    expect_exit(child, 7);
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        if (written[i] != 0x55555555) {
            fail("a child's write is seen at word %zu", i);
        }
    }
}

// A child that never gives the processor back: only an interrupt of the timer ends its slice
static void check_preemption(void)
{
    const struct timespec nap = { 0, 200000 };
    pid_t child = start_child();

    if (child == 0) {
        for (;;) {
            __asm__ volatile("");
        }
    }
    nanosleep(&nap, NULL);
    if (waitpid(child, NULL, WNOHANG) != 0) {
        fail("an endless loop has ended");
    }
    kill(child, SIGKILL);
    expect_signal(child, SIGKILL);
}

unsigned check_process(void)
{
    check_exec();
    check_copy_on_write();
    check_preemption();
    return CHILDREN + 2;
}

// In every process at the same address: after a switch the kernel copies to the new one's, and to no other's
static uint32_t token;

static void pass_token(int from, int to)
{
    if (read(from, &token, sizeof token) != sizeof token) {
        fail("no token");
    }
    ++token;
    if (write(to, &token, sizeof token) != sizeof token) {
        fail("token lost");
    }
}

// A token goes round through pipes: each pass is a switch to another process
unsigned check_switch(void)
{
    int pipes[CHILDREN + 1][2];
    pid_t children[CHILDREN];

    for (unsigned i = 0; i <= CHILDREN; i++) {
        if (pipe(pipes[i]) != 0) {
            fail("pipe %u", i);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        children[i] = start_child();
        if (children[i] == 0) {
            for (unsigned round = 0; round < ROUNDS; round++) {
                pass_token(pipes[i][0], pipes[i + 1][1]);
            }
            _exit(20 + (int)i);
        }
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (write(pipes[0][1], &token, sizeof token) != sizeof token
            || read(pipes[CHILDREN][0], &token, sizeof token) != sizeof token) {
            fail("token lost in round %u", round);
        }
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        expect_exit(children[i], 20 + (int)i);
    }
    for (unsigned i = 0; i <= CHILDREN; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    if (token != CHILDREN * ROUNDS) {
        fail("token=%u", token);
    }
    return token;
}

static uint32_t atomic_count, locked_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Reservations (lwarx, stwcx.) and futexes, with switches between the parts of an update
static void *count_up(void *argument)
{
    for (unsigned i = 0; i < STEPS; i++) {
        __atomic_fetch_add(&atomic_count, 1, __ATOMIC_SEQ_CST);
        pthread_mutex_lock(&lock);
        uint32_t seen = locked_count;

        if (i % 16 == 0) {
            sched_yield();
        }
        locked_count = seen + 1;
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

unsigned check_thread(void)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    int tags[THREADS];

    // The usual stack has as much as the machine
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, 64 * PAGE) != 0) {
        fail("attributes of threads");
    }

    for (unsigned i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], &attributes, count_up, &tags[i]) != 0) {
            fail("thread %u does not start", i);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *result;

        if (pthread_join(threads[i], &result) != 0 || result != &tags[i]) {
            fail("thread %u does not end", i);
        }
    }
    if (atomic_count != THREADS * STEPS || locked_count != THREADS * STEPS) {
        fail("atomic=%u locked=%u instead of %u", atomic_count, locked_count, THREADS * STEPS);
    }
    return THREADS;
}
