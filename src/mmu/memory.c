/*
 * memory.c: static TLB entries and images.
 */
#include "memory.h"

#include "cpu.h"
#include "partition.h"

void memory_init(void)
{
    uint32_t i;

    for (i = 0; i < TLB_ROW_COUNT; i++) {
        /* A write to the high word takes TID from PID. LO first: the entry must not be valid half written. */
        cpu_mtspr(SPRN_PID, tlb_rows[i].tid);
        cpu_tlbwe_lo(i, tlb_rows[i].lo);
        cpu_tlbwe_hi(i, tlb_rows[i].hi);
    }
    cpu_isync();
}

/*
 * Copy whole words; the target is inside the partition's RAM because tools/pack.py checked it. Out of the data cache with
 * each: it may be code.
 */
static void copy_words(uint32_t to, uint32_t from, uint32_t bytes)
{
    uint32_t i;

    for (i = 0; i < bytes; i += 4) {
        cpu_write32(to + i, cpu_read32(from + i));
        cpu_dcbst(to + i);
    }
}

void memory_load(uint32_t index)
{
    const struct vm_config *config = &vm_config[index];
    const struct vm_image *image = &vm_image[index];
    uint32_t line, i;

    for (line = 0; line < config->ram_size; line += CACHE_LINE) {
        cpu_dcbz(config->ram_machine + line);
    }
    for (i = 0; i < image->segment_count; i++) {
        const struct vm_segment *segment = &image->segments[i];

        copy_words(config->ram_machine + (segment->guest - config->ram_guest), (uint32_t)(uintptr_t)segment->data,
                   segment->filesz);
    }
    cpu_sync(); /* then nothing old in the instruction cache */
    cpu_iccci();
    cpu_isync();
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
