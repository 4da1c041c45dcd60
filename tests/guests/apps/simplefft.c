/*
 * simplefft.c: the FFTs of FFTTask without an operating system. After boot no privileged instruction is executed and no
 * interrupt is taken, until the reset at the end: what a hypervisor costs here is its own timer.
 */
#include <stdbool.h>

#include "apps/fft.h"
#include "common/guest.h"
#include "common/line.h"

const char guest_name[] = "simplefft";

extern const uint32_t guest_vectors[]; // the table for boot.S
const uint32_t guest_vectors[] = {0};  // none of our own: every exception is stray

extern const uint32_t simplefft_checksum; // generated

void guest_main(void)
{
    struct fft_check check = {0, 0};
    struct line line;
    bool good;

    fft_repeat(&check, 0, SIMPLEFFT_FFTS);
    good = check.wrong == 0 && check.checksum == simplefft_checksum;

    line_begin(&line);
    line_text(&line, good ? "simplefft: PASS" : "simplefft: FAIL wrong result");
    line_decimal(&line, "ffts", SIMPLEFFT_FFTS);
    line_decimal(&line, "wrong", check.wrong);
    line_hex(&line, "checksum", check.checksum);
    line_print(&line);
}
