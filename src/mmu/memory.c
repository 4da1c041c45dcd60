/*
 * memory.c: static TLB entries and images.
 */
#include "memory.h"

#include "cpu.h"
#include "partition.h"

/* Bytes of a piece: what is done with interrupts off. A word is 6 instructions. */
#define COPY_PIECE 512U

/* A write to the high word takes TID from PID. LO first: the entry must not be valid half written. */
void memory_map(uint32_t row, bool valid)
{
    cpu_mtspr(SPRN_PID, tlb_rows[row].tid);
    cpu_tlbwe_lo(row, tlb_rows[row].lo);
    cpu_tlbwe_hi(row, valid ? tlb_rows[row].hi : 0);
}

void memory_init(void)
{
    uint32_t i;

    for (i = 0; i < TLB_FIXED_ROWS; i++) { /* loop: TLB_FIXED_ROWS */
        memory_map(i, true);
    }
    cpu_isync();
}

/*
 * A segment's bytes and no other: the rest of its last word may be another segment's, or another VM's. Out of the data cache
 * with each line: it may be code, and a guest believes its cache empty.
 */
static void copy(uint32_t to, uint32_t from, uint32_t bytes)
{
    uint32_t line = to & ~(CACHE_LINE - 1);

    for (; bytes >= 4; bytes -= 4) { /* loop: COPY_PIECE / 4 */
        cpu_write32(to, cpu_read32(from));
        to += 4;
        from += 4;
    }
    for (; bytes != 0; bytes--) { /* loop: 3 */
        cpu_write8(to++, cpu_read8(from++));
    }
    for (; line < to; line += CACHE_LINE) { /* loop: COPY_PIECE / CACHE_LINE + 1 */
        cpu_dcbf(line);
    }
}

/*
 * Nothing of it stays in the data cache, neither dirty nor valid: a guest begins by dccci, which does nothing here, and may then
 * map a page with caching inhibited, or give it to a device (manual, "Data Cache Operation": to access a line that is cached in
 * another way is a programming error).
 */
void memory_zero(uint32_t line, uint32_t bytes)
{
    uint32_t end = line + bytes;

    for (; line != end; line += CACHE_LINE) { /* loop: MEMORY_PIECE / CACHE_LINE */
        cpu_dcbz(line);
        cpu_dcbf(line);
    }
}

bool memory_clear(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t left = config->ram_size - v->work_at;

    memory_zero(config->ram_machine + v->work_at, left < MEMORY_PIECE ? left : MEMORY_PIECE);
    v->work_at += MEMORY_PIECE;
    return left > MEMORY_PIECE;
}

/* What tools/pack.py has checked is checked again: images may be of another build. */
bool memory_load(struct vcpu *v)
{
    const struct vm_image *image = &vm_image[vcpu_index(v)];
    const struct vm_segment *segment = &image->segments[v->work_row];
    uint32_t at = v->work_at, left;

    if (v->work_row == image->segment_count) {
        cpu_sync(); /* then nothing old in the instruction cache */
        cpu_iccci();
        cpu_isync();
        return false;
    }
    if (!memory_contains_all(v, segment->guest, segment->filesz)) {
        vcpu_stop(v, STOP(IMAGE));
        return true;
    }
    left = segment->filesz - at;
    copy(segment->guest + v->ram_offset + at, (uint32_t)(uintptr_t)segment->data + at, left < COPY_PIECE ? left : COPY_PIECE);
    v->work_at += COPY_PIECE;
    if (left <= COPY_PIECE) {
        v->work_at = 0;
        v->work_row++;
    }
    return true;
}

bool memory_contains(const struct vcpu *v, uint32_t address)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];

    return address - config->ram_guest < config->ram_size;
}

bool memory_contains_all(const struct vcpu *v, uint32_t address, uint32_t bytes)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    uint32_t offset = address - config->ram_guest;

    return offset <= config->ram_size && bytes <= config->ram_size - offset;
}

uint32_t memory_fetch(const struct vcpu *v)
{
    return IS_ENABLED(CONFIG_TLB_VIRT) ? cpu_fetch(v->pc) : cpu_read32(v->pc + v->ram_offset);
}
