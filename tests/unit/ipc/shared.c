/* shared.c: memory for two ends. */
#define _GNU_SOURCE
#include "shared.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

struct ipc_area area, read_only;
uint64_t now;

uint64_t ipc_now(void)
{
    return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

/* At the end of pages between two that nobody can touch. What was mapped before stays until the program ends. */
static uint8_t *map(int file, uint32_t size, uint32_t pages, int rights)
{
    uint8_t *around = mmap(0, pages + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(around != MAP_FAILED);
    assert_ptr_equal(mmap(around + PAGE, pages, rights, MAP_SHARED | MAP_FIXED, file, 0), around + PAGE);
    return around + PAGE + (pages - size) / IPC_LINE * IPC_LINE;
}

void share(uint32_t size)
{
    int file = memfd_create("tunnel", 0);
    uint32_t pages = (size + PAGE - 1) / PAGE * PAGE;

    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, pages), 0);
    area = (struct ipc_area){map(file, size, pages, PROT_READ | PROT_WRITE), size, true};
    read_only = (struct ipc_area){map(file, size, pages, PROT_READ), size, false};
    close(file);
}

uint32_t random_word(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

void poke(uint32_t offset, uint32_t word)
{
    __atomic_store_n((ipc_word *)(area.base + offset), word, __ATOMIC_RELAXED);
}

uint32_t peek(uint32_t offset)
{
    return __atomic_load_n((const ipc_word *)(area.base + offset), __ATOMIC_RELAXED);
}
