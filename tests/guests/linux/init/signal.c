/*
 * signal.c: signals that programs send, that timers send, and that faults become.
 */
#include "check.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t alarms, children_ended;
static volatile pid_t ended;

static void on_alarm(int number)
{
    (void)number;
    alarms++;
}

static void on_child(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    ended = info->si_pid;
    children_ended++;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(number, &action, NULL) != 0) {
        fail("sigaction %d: %s", number, strerror(errno));
    }
}

static void unhandle(int number)
{
    signal(number, SIG_DFL);
}

// A timer's signals come until it is stopped, and not while they are blocked
static unsigned check_alarm(void)
{
    const struct itimerval periodic = { { 0, 500 }, { 0, 500 } };
    const struct itimerval off = { { 0, 0 }, { 0, 0 } };
    const struct timespec nap = { 0, 100000 };
    sigset_t blocked, before, pending;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &periodic, NULL);
    do {
        nanosleep(&nap, NULL);
        sigpending(&pending);
    } while (!sigismember(&pending, SIGALRM));
    if (alarms != 0) {
        fail("SIGALRM came while it was blocked");
    }
    while (alarms < 3) {
        sigsuspend(&before);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    unhandle(SIGALRM);
    return 3;
}

static unsigned check_child_signal(void)
{
    sigset_t blocked, before;
    pid_t child;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    handle(SIGCHLD, on_child);
    child = start_child();
    if (child == 0) {
        _exit(9);
    }
    while (children_ended == 0) {
        sigsuspend(&before);
    }
    unhandle(SIGCHLD);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (ended != child) {
        fail("SIGCHLD of %d, not of %d", (int)ended, (int)child);
    }
    expect_exit(child, 9);
    return 1;
}

// A child's bad access ends it, and nobody else
static unsigned check_fatal(void)
{
    uint32_t *volatile nowhere = (uint32_t *)16;    // volatile: or the compiler sees what is meant, and objects
    pid_t child = start_child();

    if (child == 0) {
        *nowhere = 1;
        _exit(0);
    }
    expect_signal(child, SIGSEGV);
    return 1;
}

unsigned check_signal(void)
{
    return check_alarm() + check_child_signal() + check_fatal();
}

// ---- faults ---------------------------------------------------------------------------------------------------------
static sigjmp_buf resume;
static volatile siginfo_t fault;
static char *repaired;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    fault = *info;
    siglongjmp(resume, 1);
}

// The page becomes what the instruction needs, and the instruction is executed again
static void on_repairable(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    fault = *info;
    if (mprotect(repaired, PAGE, PROT_READ | PROT_WRITE) != 0) {
        unhandle(SIGSEGV);
    }
}

enum access { LOAD, STORE, EXECUTE, ILLEGAL, PRIVILEGED, TRAP };

static void provoke(enum access access, char *address)
{
    switch (access) {
    case LOAD:
        (void)*(volatile char *)address;
        break;
    case STORE:
        *(volatile char *)address = 1;
        break;
    case EXECUTE:
        __asm__ volatile("mtctr %0; bctrl" : : "r"(address) : "ctr", "lr", "memory");
        break;
    case ILLEGAL:
        __asm__ volatile(".long 0");
        break;
    case PRIVILEGED:
        __asm__ volatile("mfmsr 0" : : : "r0");
        break;
    case TRAP:
        __asm__ volatile("trap");
        break;
    }
}

// One access that must not succeed: which signal, with which code, and of which address (NULL: any)
static unsigned expect_fault(enum access access, char *address, int number, int code)
{
    handle(number, on_fault);
    if (sigsetjmp(resume, 1) == 0) {
        provoke(access, address);
        fail("access %d of %p is allowed", (int)access, (void *)address);
    }
    unhandle(number);
    if (fault.si_signo != number || fault.si_code != code || (address != NULL && fault.si_addr != address)) {
        fail("access %d of %p: signal %d code %d address %p", (int)access, (void *)address, fault.si_signo,
             fault.si_code, fault.si_addr);
    }
    return 1;
}

static unsigned expect_repair(char *page, enum access access, char value)
{
    repaired = page;
    handle(SIGSEGV, on_repairable);
    provoke(access, page + 12);
    unhandle(SIGSEGV);
    if (page[12] != value || fault.si_addr != page + 12 || fault.si_code != SEGV_ACCERR) {
        fail("repair: value %d address %p", page[12], fault.si_addr);
    }
    return 1;
}

unsigned check_fault(void)
{
    unsigned count = 0;
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED || munmap(page + PAGE, PAGE) != 0) {
        fail("mmap: %s", strerror(errno));
    }
    page[12] = 33;
    count += expect_fault(LOAD, page + PAGE, SIGSEGV, SEGV_MAPERR);
    count += expect_fault(STORE, page + PAGE + 4, SIGSEGV, SEGV_MAPERR);
    count += expect_fault(EXECUTE, page + PAGE + 8, SIGSEGV, SEGV_MAPERR);
    count += expect_fault(EXECUTE, page, SIGSEGV, SEGV_ACCERR);             // present, but not for instructions
    count += expect_fault(LOAD, (char *)0xC0000000, SIGSEGV, SEGV_MAPERR);  // the kernel's own memory
    count += expect_fault(STORE, (char *)(uintptr_t)&check_fault, SIGSEGV, SEGV_ACCERR);
    count += expect_fault(ILLEGAL, NULL, SIGILL, ILL_ILLOPC);
    count += expect_fault(PRIVILEGED, NULL, SIGILL, ILL_PRVOPC);
    count += expect_fault(TRAP, NULL, SIGTRAP, TRAP_BRKPT);
    mprotect(page, PAGE, PROT_NONE);
    count += expect_fault(LOAD, page + 12, SIGSEGV, SEGV_ACCERR);
    count += expect_repair(page, LOAD, 33);
    mprotect(page, PAGE, PROT_READ);
    count += expect_repair(page, STORE, 1);
    munmap(page, PAGE);
    return count;
}
