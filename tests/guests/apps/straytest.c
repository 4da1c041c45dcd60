/*
 * straytest.c: a guest that must FAIL: it raises an exception that nobody handles. It shows that the report works.
 */
#include "common/guest.h"

const char guest_name[] = "straytest";

extern const uint32_t guest_vectors[];
const uint32_t guest_vectors[] = {0};

void guest_main(void)
{
    __asm__ volatile("trap");
}
