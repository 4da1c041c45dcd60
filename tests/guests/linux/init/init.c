/*
 * init.c: the only program of the guest: checks what a kernel promises to programs, says so, and reboots.
 *
 * Each check prints a line with its figure; the last line is `linux: PASS <figures>` or `linux: FAIL <why>`. It is a
 * static program of glibc with hard floating point: all of the kernel's emulation of it is used, by printf too.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned (*run)(void);
} checks[] = {
    { "processes", check_process }, { "switches", check_switch }, { "threads", check_thread },
    { "signals", check_signal },    { "faults", check_fault },    { "pages", check_memory },
    { "files", check_file },        { "timers", check_time },     { "floats", check_float },
};
enum { CHECKS = sizeof checks / sizeof checks[0] };

const char *check_name = "start";

// Ends the machine, which is what the board's owner sees of the end of the run
static void restart(void)
{
    fflush(stdout);
    sync();
    reboot(RB_AUTOBOOT);
    _exit(1);       // the kernel panics: it has no init any more
}

void fail(const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("linux: FAIL %s: %s\n", check_name, text);
    fflush(stdout);
    if (getpid() == 1) {
        restart();
    }
    _exit(255);
}

pid_t start_child(void)
{
    fflush(stdout);     // or the child would print it once more
    pid_t child = fork();

    if (child < 0) {
        fail("fork: %s", strerror(errno));
    }
    return child;
}

static int status_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child) {
        fail("waitpid: %s", strerror(errno));
    }
    return status;
}

void expect_exit(pid_t child, int status)
{
    int seen = status_of(child);

    if (!WIFEXITED(seen) || WEXITSTATUS(seen) != status) {
        fail("a child ended with %#x instead of exit status %d", (unsigned)seen, status);
    }
}

void expect_signal(pid_t child, int number)
{
    int seen = status_of(child);

    if (!WIFSIGNALED(seen) || WTERMSIG(seen) != number) {
        fail("a child ended with %#x instead of signal %d", (unsigned)seen, number);
    }
}

static void mount_all(void)
{
    if (mount("proc", "/proc", "proc", 0, NULL) != 0 || mount("tmpfs", "/tmp", "tmpfs", 0, "size=1m") != 0) {
        fail("mount: %s", strerror(errno));
    }
}

// The kernel would print each fault of the first process, although it is handled
static void silence_faults(void)
{
    int file = open("/proc/sys/debug/exception-trace", O_WRONLY);

    if (file < 0 || write(file, "0", 1) != 1 || close(file) != 0) {
        fail("exception-trace: %s", strerror(errno));
    }
}

// How often all is checked: the kernel gives init what it does not know of its arguments (board.dts)
static unsigned long rounds(void)
{
    const char *text = getenv("rounds");

    return text != NULL ? strtoul(text, NULL, 10) : 1;
}

// All checks by a child of its own, which begins as this process does
static void check_once(void)
{
    pid_t child = start_child();

    if (child == 0) {
        for (unsigned i = 0; i < CHECKS; i++) {
            check_name = checks[i].name;
            checks[i].run();
        }
        _exit(0);
    }
    expect_exit(child, 0);
}

int main(int argc, char **argv, char **environment)
{
    unsigned figures[CHECKS], answers;

    if (getpid() != 1) {
        return child_main(argc, argv, environment);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    mount_all();
    silence_faults();
    for (unsigned long left = rounds(); left > 1; left--) {
        check_once();
    }
    for (unsigned i = 0; i < CHECKS; i++) {
        check_name = checks[i].name;
        figures[i] = checks[i].run();
        printf("linux: %s %u\n", checks[i].name, figures[i]);
    }
    answers = check_tunnel();
    if (answers != 0) {
        printf("linux: tunnel %u\n", answers);
    }
    printf("linux: PASS");
    for (unsigned i = 0; i < CHECKS; i++) {
        printf(" %s=%u", checks[i].name, figures[i]);
    }
    printf("\n");
    restart();
}
