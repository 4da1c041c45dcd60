/*
 * cpu.c (fake): see cpu.h. Models what the sources rely on, and no more: SPRs as words, memory with a data cache
 * that has to be written back before instructions are fetched, a 16550. The board's other devices: board_<code>.c.
 */
#include "harness.h"

#include <string.h>

#include "board.h"

struct fake fake;

uint32_t cpu_mfspr(uint32_t n)
{
    assert_in_range(n, 0, 1023);
    if (n == SPRN_USPRG0) { /* as QEMU has it: point of asm/live.S */
        return fake.spr[SPRN_SPRG0];
    }
    if (n == SPRN_TBL_R) {
        return fake.time;
    }
    return fake.spr[n];
}

void cpu_mtspr(uint32_t n, uint32_t value)
{
    assert_in_range(n, 0, 1023);
    fake.spr_writes[n]++;
    if (n == SPRN_TSR) { /* a one clears */
        fake.spr[n] &= ~value;
        return;
    }
    fake.spr[n] = value;
    if (n == SPRN_DBCR0 && (value & DBCR0_RST) != 0) {
        if (!fake.reset_expected) {
            fail_msg("the machine was reset; output: %s", fake.output);
        }
        fake.reset = value;
        longjmp(fake.reset_jump, 1);
    }
}

uint32_t cpu_time(void)
{
    return fake.time;
}

/* It passes its end in the middle of a look, if a test wants that. */
uint32_t cpu_time_hi(void)
{
    uint32_t value = fake.time_hi;

    if (fake.time_wraps) {
        fake.time_wraps = false;
        fake.time = 0;
        fake.time_hi++;
    }
    return value;
}

/* ---- TLB: the high word takes TID from PID; a low word after it takes the valid bit away, as on QEMU ---- */

void cpu_tlbwe_hi(uint32_t entry, uint32_t word)
{
    assert_in_range(entry, 0, TLB_ENTRIES - 1);
    fake.tlb_hi[entry] = word;
    fake.tlb_tid[entry] = fake.spr[SPRN_PID] & 0xFF;
    fake.tlb_writes++;
}

void cpu_tlbwe_lo(uint32_t entry, uint32_t word)
{
    assert_in_range(entry, 0, TLB_ENTRIES - 1);
    fake.tlb_lo[entry] = word;
    fake.tlb_hi[entry] &= ~(uint32_t)TLBHI_V;
    fake.tlb_writes++;
}

uint32_t cpu_tlbre_hi(uint32_t entry)
{
    assert_in_range(entry, 0, TLB_ENTRIES - 1);
    fake.spr[SPRN_PID] = fake.tlb_tid[entry];
    return fake.tlb_hi[entry];
}

uint32_t cpu_tlbre_lo(uint32_t entry)
{
    assert_in_range(entry, 0, TLB_ENTRIES - 1);
    return fake.tlb_lo[entry];
}

static bool tlb_matches(uint32_t entry, uint32_t address)
{
    uint32_t size = 1024U << 2 * (fake.tlb_hi[entry] >> 7 & 7);

    return (fake.tlb_hi[entry] & TLBHI_V) != 0 && ((fake.tlb_hi[entry] ^ address) & ~(size - 1)) == 0 &&
           (fake.tlb_tid[entry] == 0 || fake.tlb_tid[entry] == (fake.spr[SPRN_PID] & 0xFF));
}

/* Two entries for one address: what the chip does then, nobody knows. */
uint32_t cpu_tlbsx(uint32_t address)
{
    uint32_t found = TLB_ENTRIES;
    uint32_t i;

    for (i = 0; i < TLB_ENTRIES; i++) {
        if (tlb_matches(i, address)) {
            if (found != TLB_ENTRIES) {
                fail_msg("entries %u and %u of the machine both translate %08x", found, i, address);
            }
            found = i;
        }
    }
    return found;
}

/* A load with MSR[DR], in the supervisor state: it needs an entry, but no right. */
uint32_t cpu_fetch(uint32_t address)
{
    uint32_t entry = cpu_tlbsx(address);
    uint32_t offset;

    if (entry == TLB_ENTRIES) {
        fail_msg("a TLB miss in the hypervisor, at %08x", address);
    }
    offset = address & ((1024U << 2 * (fake.tlb_hi[entry] >> 7 & 7)) - 1);
    return cpu_read32((fake.tlb_lo[entry] & 0xFFFFFC00) + offset);
}

void cpu_isync(void)
{
}

void cpu_sync(void)
{
    fake.unsynced = false;
    fake.syncs++;
}

/* ---- memory ---- */

static uint32_t *word_at(uint32_t address)
{
    if (address % 4 != 0 || address < FAKE_RAM_FIRST || address - FAKE_RAM_FIRST >= FAKE_RAM_SIZE) {
        fail_msg("access to %08x, where no VM has memory", address);
    }
    return &fake.ram[(address - FAKE_RAM_FIRST) / 4];
}

static uint32_t line_of(uint32_t address)
{
    return (uint32_t)(word_at(address & ~(FAKE_LINE - 1)) - fake.ram) / (FAKE_LINE / 4);
}

static uint32_t byte_at(uint32_t address)
{
    uint32_t word;

    if (address - (uint32_t)(uintptr_t)fake_images < fake_images_size) { /* guest images: linked below 4 GiB */
        word = *(const uint32_t *)(uintptr_t)(address & ~3U);
    } else {
        word = *word_at(address & ~3U);
        fake.cached[line_of(address)] = true;
    }
    return word >> (24 - 8 * (address & 3)) & 0xFF;
}

static void set_byte(uint32_t address, uint32_t value)
{
    uint32_t shift = 24 - 8 * (address & 3), *word = word_at(address & ~3U);

    *word = (*word & ~(0xFFU << shift)) | value << shift;
    fake.cached[line_of(address)] = fake.dirty[line_of(address)] = true;
}

/* Of any address: the 405 has no alignment interrupt for these. */
uint32_t cpu_read32(uint32_t address)
{
    return byte_at(address) << 24 | byte_at(address + 1) << 16 | byte_at(address + 2) << 8 | byte_at(address + 3);
}

void cpu_write32(uint32_t address, uint32_t value)
{
    uint32_t i;

    for (i = 0; i < 4; i++) {
        set_byte(address + i, value >> (24 - 8 * i) & 0xFF);
    }
    fake.writes++;
}

void cpu_dcbz(uint32_t address)
{
    memset(word_at(address & ~(FAKE_LINE - 1)), 0, FAKE_LINE);
    fake.cached[line_of(address)] = fake.dirty[line_of(address)] = true;
}

/* Register files are the host's memory (the stubs of cpu/optimize.c are there): as if they were never cached. */
static bool is_file(uint32_t address)
{
    return address - (uint32_t)(uintptr_t)vcpu < VM_COUNT * sizeof(struct vcpu);
}

void cpu_dcbst(uint32_t address)
{
    bool *dirty = &fake.dirty[line_of(address)];

    fake.fetch_stale = fake.fetch_stale || *dirty;
    fake.unsynced = fake.unsynced || *dirty;
    *dirty = false;
}

void cpu_dcbf(uint32_t address)
{
    if (is_file(address)) {
        return;
    }
    cpu_dcbst(address);
    fake.cached[line_of(address)] = false;
    fake.flushed = address;
    fake.flush_count++;
}

void cpu_iccci(void)
{
    fake.fetch_stale = false;
}

/* ---- devices of the board that are a guest's ---- */

static void on_bus(uint32_t address, uint32_t size)
{
    fake.syncs_at_bus = fake.syncs;
    assert_true(size == 1 || size == 2 || size == 4);
    fake.bus_accesses++;
    fake.bus_address = address;
    fake.bus_size = size;
}

uint32_t cpu_bus_load(uint32_t address, uint32_t size)
{
    on_bus(address, size);
    return fake.bus_value & 0xFFFFFFFF >> (32 - 8 * size);
}

void cpu_bus_store(uint32_t address, uint32_t size, uint32_t value)
{
    on_bus(address, size);
    fake.bus_value = value & 0xFFFFFFFF >> (32 - 8 * size);
}

/* ---- UART: what its receiver and transmitter do; and the registers of a 16550, wherever the board has them ---- */

#define UART(reg) (BOARD_CONSOLE_BASE + BOARD_CONSOLE_OFFSET + BOARD_CONSOLE_STRIDE * (reg))
enum {
    UART_DATA = UART(0), UART_IER = UART(1), UART_FCR = UART(2), UART_LCR = UART(3), UART_MCR = UART(4), UART_LSR = UART(5)
};

uint8_t fake_uart_receive(void)
{
    assert_true(*fake.input != 0);
    return (uint8_t)*fake.input++;
}

uint8_t fake_uart_overrun(uint8_t bit)
{
    bool was = fake.overrun;

    fake.overrun = false;
    return was ? bit : 0;
}

uint8_t fake_uart_shifts(uint8_t bit)
{
    fake.shifting -= fake.shifting != 0;
    return fake.shifting != 0 ? 0 : bit;
}

void fake_uart_poll(void)
{
    if (fake.room == 0 && ++fake.polls > 100000) {
        fail_msg("waits for the UART for ever");
    }
    fake.fifo_left = fake.room != 0 ? 0 : fake.fifo_left; /* it is empty: the next byte begins a burst */
}

void fake_uart_send(uint8_t value, uint32_t fifo)
{
    if (fake.fifo_left == 0) {
        if (fake.room == 0) {
            fail_msg("byte %02x sent to a busy UART", value);
        }
        fake.room -= fake.room != FAKE_ROOM;
        fake.fifo_left = fifo;
    }
    fake.fifo_left--;
    fake.polls = 0;
    if (value == '\r') {
        fake.returns++;
        return;
    }
    assert_in_range(fake.output_length, 0, FAKE_OUTPUT - 2);
    fake.output[fake.output_length++] = (char)value;
    fake.output[fake.output_length] = 0;
}

uint8_t cpu_read8(uint32_t address)
{
    if (address < BOARD_CONSOLE_BASE) {
        return (uint8_t)byte_at(address);
    }
    switch (address) {
    case UART_DATA:
        return fake_uart_receive();
    case UART_LSR:
        fake_uart_poll();
        return (fake.room != 0 ? 0x20 | fake_uart_shifts(0x40) : 0) | (*fake.input != 0 ? 0x01 : 0) | fake_uart_overrun(0x02);
    default:
        fail_msg("read of %08x, where the board has no register", address);
        return 0;
    }
}

void cpu_write8(uint32_t address, uint8_t value)
{
    if (address < BOARD_CONSOLE_BASE) {
        set_byte(address, value);
        fake.writes++;
        return;
    }
    if (address <= UART_IER && (fake.uart_lcr & 0x80) != 0) {
        fake.uart_divisor[address == UART_IER] = value;
        return;
    }
    switch (address) {
    case UART_DATA:
        fake_uart_send(value, (fake.uart_fcr & 1) != 0 ? 16 : 1);
        break;
    case UART_IER:
        fake.uart_ier = value;
        break;
    case UART_FCR:
        fake.uart_fcr = value;
        break;
    case UART_LCR:
        fake.uart_lcr = value;
        break;
    case UART_MCR:
        fake.uart_mcr = value;
        break;
    default:
        fail_msg("write to %08x, where the board has no register", address);
    }
}
