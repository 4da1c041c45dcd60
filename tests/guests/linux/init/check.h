/*
 * check.h: what the checks of the guest's init share.
 *
 * A check is a function that returns a figure: how many things of its kind it has seen work. What does not work goes to
 * fail(), which does not return: the first process prints `linux: FAIL <check>: <why>` and reboots, any other prints the
 * same and exits, and its parent notices. The figures do not depend on time, so two runs print the same.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE 4096u

unsigned check_process(void);
unsigned check_switch(void);
unsigned check_thread(void);
unsigned check_signal(void);
unsigned check_fault(void);
unsigned check_memory(void);
unsigned check_file(void);
unsigned check_time(void);
unsigned check_float(void);

// Messages through a tunnel, if the machine has one; else 0
unsigned check_tunnel(void);

// Where a check has come to, for fail()
extern const char *check_name;

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

// fork() that cannot fail; in the child, 0
pid_t start_child(void);
// The child ends with this status, and no other
void expect_exit(pid_t child, int status);
// The child ends by this signal
void expect_signal(pid_t child, int number);

// What is left of the program after exec of itself: `init child <index>`
int child_main(int argc, char **argv, char **environment);

#endif
