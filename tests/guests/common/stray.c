/*
 * stray.c: the last words of a guest that cannot go on.
 */
#include "common/guest.h"
#include "common/line.h"

static struct line stray_line; // not on the stack: the stack may be what is broken

static void stray_begin(const char *why)
{
    line_begin(&stray_line);
    line_text(&stray_line, guest_name);
    line_text(&stray_line, ": FAIL ");
    line_text(&stray_line, why);
}

// An exception outside the plan. pc and msr are SRR0 and SRR1, or SRR2 and SRR3 for the critical class.
void guest_stray(uint32_t vector, uint32_t pc, uint32_t msr, uint32_t esr, uint32_t dear)
{
    stray_begin("exception");
    line_hex(&stray_line, "vector", vector);
    line_hex(&stray_line, "srr0", pc);
    line_hex(&stray_line, "srr1", msr);
    line_hex(&stray_line, "esr", esr);
    line_hex(&stray_line, "dear", dear);
    line_print(&stray_line);
}

// DCCR did not keep what boot wrote: no storage attribute can be trusted
void boot_bad_dccr(uint32_t value)
{
    stray_begin("boot");
    line_hex(&stray_line, "dccr", value);
    line_print(&stray_line);
}

#ifdef PARAVIRT
// A para-virtualized guest on a bare machine, or in a VM without register pages or hypercalls
void boot_no_hypervisor(uint32_t version)
{
    stray_begin("this guest needs a hypervisor");
    line_hex(&stray_line, "version", version);
    line_print(&stray_line);
}
#endif
