/*
 * roles.c: VMs that have less. To one without hypercalls and pages, both do not exist; one without a console has no calls for it.
 */
#include "hybridtest.h"

static struct machine m;

/* Run words with r3 = a and random values in r4 to r31. Gives the vector. */
static uint32_t run_words(const uint32_t *words, uint32_t count, uint32_t a, uint32_t msr)
{
    for (uint32_t i = 4; i < 32; i++) {
        m.gpr[i] = random_word();
    }
    m.gpr[3] = a;
    code_at(BUFFER, words, count);
    return run_code(&m, BUFFER, msr);
}

/* Nobody answers at the address: machine checks, and no value. */
static void no_memory(uint32_t address)
{
    static const uint32_t load[] = {0x80830000, TRAP}, store[] = {0x90830000, TRAP}; /* lwz, stw r4, 0(r3) */

    expect("load where nothing is", address, 0x200, run_words(load, 2, address, MSR_ME));
    expect("register of that load", address, m.gpr[4], frame->gpr[4]);
    expect("store where nothing is", address, 0x200, run_words(store, 2, address, MSR_ME));
}

static void no_pages(uint32_t boundary)
{
    for (uint32_t offset = 0; offset < 256; offset += 4) {
        no_memory(boundary - 128 + offset);
    }
    no_memory(boundary - 1024);
    no_memory(boundary + 1020);
}

/* Without paravirt, irfm and previrt. */
void plain(void)
{
    static const uint32_t twi[] = {0x0C200000 | PAGE_CHECK, 0x0C200000 | PAGE_MODE};

    for (uint32_t number = 0; number < 64; number++) {
        own_sc(HCALL_TAG << 16 | number, MSR_ME);
        own_sc(HCALL_TAG << 16 | number, MSR_ME | MSR_PR);
        own_sc(HCALL_TAG << 16 | random_below(0x10000), MSR_ME | MSR_CE);
    }
    no_pages(PAGE_BOUNDARY);
    no_pages(0xFFFFB000);
    for (uint32_t i = 0; i < 2; i++) { /* twi 1, r3, ... */
        uint32_t words[] = {twi[i] | 3 << 16, NOP, NOP, NOP, NOP, NOP, NOP, SC};

        expect("twi", i, 0x700, run_words(words, 8, 0xFFFFFFFF, MSR_ME));
        expect("twi's address", i, BUFFER, mfspr(SRR0));
        expect("twi's syndrome", i, ESR_PTR, mfspr(ESR));
    }
    expect("first word of sites.S", 0, 1, site_two());
}

/* Without a console; other calls and the pages are there. */
void mute(void)
{
    uint32_t services = has(FEATURE_SERVICES), value = 0;
    uint32_t error = (uint32_t)(services ? HCALL_E_STATE : HCALL_E_NUMBER);

    expect("feature", 0, 0, has(FEATURE_DRIVERS));
    expect("console_write", 0, error, (uint32_t)proteus_console_write((void *)BUFFER, 4));
    expect("console_write", 1, error, (uint32_t)proteus_console_write((void *)RAM_SIZE, 4));
    expect("console_read", 0, error, (uint32_t)proteus_console_read((void *)BUFFER, 4));
    expect("buffer", 0, 0, *(volatile uint32_t *)BUFFER);
    no_memory(BOARD_UART_FIRST);
    no_memory(BOARD_UART_FIRST + 4);
    no_pages(0xFFFFB000); /* another VM's */
    expect("page version", 0, PAGE_VERSION, proteus_page_version());
    if (services) {
        expect("name", 0, 0, (uint32_t)proteus_vm_info(HCALL_INFO_NAME_HI, &value));
        expect("name", 1, 0x6D757465, value);
    }
}

void busy(void)
{
    uint32_t start = time_low();

    while (time_low() - start < hybrid_busy_ms * (BOARD_TB_HZ / 1000)) {
    }
}
