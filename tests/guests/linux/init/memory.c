/*
 * memory.c: mappings, anonymous and of files, private and shared; more pages than the TLB has entries. And tmpfs.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES = 160, WALKS = 4 };    // the 405 has 64 TLB entries

static uint32_t *map(size_t size, int flags, int file)
{
    uint32_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);

    if (memory == MAP_FAILED) {
        fail("mmap of %zu bytes: %s", size, strerror(errno));
    }
    return memory;
}

static uint32_t stamp(uint32_t page, uint32_t walk)
{
    return page * 2654435761u ^ walk;
}

// Each walk takes the pages in another order (steps that have no divisor in common with PAGES), reads, and writes
static unsigned check_many_pages(void)
{
    static const uint32_t steps[WALKS] = { 1, 67, 159, 83 };
    uint32_t *memory = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    for (uint32_t walk = 0; walk < WALKS; walk++) {
        for (uint32_t i = 0, page = 0; i < PAGES; i++, page = (page + steps[walk]) % PAGES) {
            uint32_t *word = &memory[page * (PAGE / 4) + page];
            uint32_t expected = walk == 0 ? 0 : stamp(page, walk - 1);

            if (*word != expected) {
                fail("page %u has %#x instead of %#x in walk %u", page, *word, expected, walk);
            }
            *word = stamp(page, walk);
        }
    }
    memory = mremap(memory, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED || memory[7 * (PAGE / 4) + 7] != stamp(7, WALKS - 1) || memory[PAGES * (PAGE / 4)] != 0) {
        fail("mremap");
    }
    munmap(memory, 2 * PAGES * PAGE);
    return PAGES;
}

// The stack grows by what is used of it
static uint32_t __attribute__((noinline)) use_stack(uint32_t depth)
{
    volatile uint32_t frame[PAGE / 4];

    frame[0] = depth;
    frame[PAGE / 4 - 1] = depth;
    if (depth == 0) {
        return 0;
    }
    return use_stack(depth - 1) + frame[0] - frame[PAGE / 4 - 1] + 1;
}

// What one process writes, all others see, through memory without a file and through a file of tmpfs
static void check_shared(uint32_t *memory)
{
    pid_t child;

    memory[0] = 1;
    memory[PAGE / 4] = 2;
    child = start_child();
    if (child == 0) {
        memory[0] += 10;
        memory[PAGE / 4] += 20;
        _exit(3);
    }
    expect_exit(child, 3);
    if (memory[0] != 11 || memory[PAGE / 4] != 22) {
        fail("shared memory has %u %u", memory[0], memory[PAGE / 4]);
    }
}

static void check_file_mapping(void)
{
    int file = open("/tmp/mapped", O_RDWR | O_CREAT | O_EXCL, 0600);
    uint32_t *shared, *own, value;

    if (file < 0 || ftruncate(file, 2 * PAGE) != 0) {
        fail("/tmp/mapped: %s", strerror(errno));
    }
    shared = map(2 * PAGE, MAP_SHARED, file);
    own = map(2 * PAGE, MAP_PRIVATE, file);
    own[1] = 5;
    check_shared(shared);
    if (pread(file, &value, sizeof value, PAGE) != sizeof value || value != 22) {
        fail("the file has %u", value);
    }
    value = 44;
    if (pwrite(file, &value, sizeof value, PAGE + 8) != sizeof value || shared[PAGE / 4 + 2] != 44 || shared[1] != 0) {
        fail("a shared mapping has %u %u", shared[PAGE / 4 + 2], shared[1]);
    }
    if (own[1] != 5 || own[0] != 0 || own[PAGE / 4] != 22) {        // the second page is not yet its own
        fail("a private mapping has %u %u %u", own[0], own[1], own[PAGE / 4]);
    }
    munmap(shared, 2 * PAGE);
    munmap(own, 2 * PAGE);
    close(file);
    unlink("/tmp/mapped");
}

unsigned check_memory(void)
{
    unsigned count = check_many_pages();
    uint32_t *anonymous = map(2 * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);

    check_shared(anonymous);
    munmap(anonymous, 2 * PAGE);
    check_file_mapping();
    if (use_stack(32) != 32) {
        fail("stack");
    }
    return count + 2 + 2 + 32;
}

// ---- files ----------------------------------------------------------------------------------------------------------
enum { FILES = 8, BLOCK = 1500 };

static char block[BLOCK], read_back[BLOCK];

static void file_name(char *name, size_t size, unsigned index)
{
    snprintf(name, size, "/tmp/folder/file%u", index);
}

static void write_file(unsigned index)
{
    char name[32];
    int file;

    file_name(name, sizeof name, index);
    memset(block, 'a' + (int)index, sizeof block);
    file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0640);
    if (file < 0 || lseek(file, index * PAGE, SEEK_SET) < 0         // a hole, then the block
        || write(file, block, sizeof block) != sizeof block || close(file) != 0) {
        fail("%s: %s", name, strerror(errno));
    }
}

static void read_file(unsigned index)
{
    char name[32];
    struct stat status;
    int file;

    file_name(name, sizeof name, index);
    memset(block, 'a' + (int)index, sizeof block);
    file = open(name, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0 || status.st_size != (off_t)(index * PAGE + BLOCK)
        || (status.st_mode & 07777) != 0640) {
        fail("%s is not what was written", name);
    }
    if (pread(file, read_back, BLOCK, index * PAGE) != BLOCK || memcmp(block, read_back, BLOCK) != 0) {
        fail("%s has other bytes", name);
    }
    if (index > 0 && (read(file, read_back, 1) != 1 || read_back[0] != 0)) {
        fail("%s: its hole is not empty", name);
    }
    close(file);
}

static unsigned count_entries(const char *folder)
{
    DIR *directory = opendir(folder);
    unsigned count = 0;

    if (directory == NULL) {
        fail("%s: %s", folder, strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count;
}

// The kernel's own files: it runs on what the processor says it is
static void check_proc(void)
{
    char text[512];
    int file = open("/proc/cpuinfo", O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (length <= 0) {
        fail("/proc/cpuinfo: %s", strerror(errno));
    }
    text[length] = '\0';
    close(file);
    if (strstr(text, "405") == NULL) {
        fail("this is no 405: %s", text);
    }
}

unsigned check_file(void)
{
    char name[32];

    if (mkdir("/tmp/folder", 0700) != 0) {
        fail("mkdir: %s", strerror(errno));
    }
    for (unsigned i = 0; i < FILES; i++) {
        write_file(i);
    }
    for (unsigned i = 0; i < FILES; i++) {
        read_file(i);
    }
    if (rename("/tmp/folder/file0", "/tmp/folder/file1") != 0 || count_entries("/tmp/folder") != FILES - 1) {
        fail("rename");
    }
    if (rmdir("/tmp/folder") == 0 || errno != ENOTEMPTY) {
        fail("a folder with files is removed");
    }
    for (unsigned i = 1; i < FILES; i++) {
        file_name(name, sizeof name, i);
        if (unlink(name) != 0) {
            fail("unlink %s: %s", name, strerror(errno));
        }
    }
    if (rmdir("/tmp/folder") != 0 || count_entries("/tmp") != 0) {
        fail("the folder stays");
    }
    check_proc();
    return FILES;
}
