/*
 * kernel.c: a kernel in miniature, for translation as systems use it: processes with address spaces of their own by PID,
 * a TLB reloaded by its miss handlers in turn, pages that are read-only until the first store, a kernel that reads its
 * processes' memory through their translation (with misses of its own), switches by system call and by timer.
 *
 * What the processes compute is the same in whatever order they run. With the timer off the order is the same as well,
 * and then the count of each interrupt is printed.
 */
#include "twin.h"

#define SPR_PID  0x3B1
#define SPR_ZPR  0x3B0
#define SPR_EVPR 0x3D6
#define SPR_TSR  0x3D8
#define SPR_TCR  0x3DA
#define SPR_PIT  0x3DB
#define SPR_DEAR 0x3D5
#define TCR_PIE  0x04000000u
#define TCR_ARE  0x00400000u

#define MSR_USER   0xD030u /* EE PR ME IR DR */
#define MSR_KERNEL 0x1030u
#define MSR_REAL   0x1000u
#define VALID_4K   0xC0u
#define VALID_64K  0x1C0u
#define EX         0x200u
#define WR         0x100u
#define ZONE(n)    ((n) << 4)

#define PROCESSES   3u
#define PAGES       16u /* of data, each process */
#define LOOPS       400
#define USER_CODE   0x00400000u
#define USER_DATA   0x10000000u
#define PINNED      63u /* the kernel's own code, for its supervisor state alone: zone 15 */
#define TIMER_TICKS 20000u
#define CODE_PAGE   0u /* of the data pages; the other page of code is behind it, then data */

struct frame {
    uint32_t gpr[32];
    uint32_t cr, lr, ctr, xer, srr0, srr1;
};

_Static_assert(__builtin_offsetof(struct frame, srr1) == FRAME_SRR1 - FRAME_GPR, "struct frame and its offsets disagree");

enum { FETCH_MISS, DATA_MISS, NESTED_MISS, FIRST_STORE, CALL, TIMER, UNEXPECTED, COUNTS };

static const char *const count_names[COUNTS] = {"fetch", "data", "nested", "first", "call", "timer", "bad"};

static struct process {
    struct frame frame;
    uint32_t pid, dirty, done, sum, calls;
} process[PROCESSES];

static struct frame first[2]; /* the first one has a linkage area before it */
static uint32_t now, entries, turn, count[COUNTS];

uint32_t kernel_back[3 + 19];

extern const uint32_t program[], program_end[], program_function[], program_function_end[];
void kernel_start(struct frame *frame);
void kernel_stop(void) __attribute__((noreturn));
void kernel_trap(uint32_t vector, struct frame *frame);

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")
#define mfspr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number));                                            \
        value_;                                                                                                   \
    })

static void copy(struct frame *to, const struct frame *from)
{
    for (uint32_t i = 0; i < sizeof(*to) / 4; i++) {
        ((uint32_t *)to)[i] = ((const uint32_t *)from)[i];
    }
}

/* TID is PID, which is the process's or, for the kernel's own entry, 0. */
static void write_entry(uint32_t index, uint32_t hi, uint32_t lo)
{
    __asm__ volatile("tlbwe %1, %2, 1\n tlbwe %0, %2, 0\n isync" ::"r"(hi), "r"(lo), "r"(index) : "memory");
}

static uint32_t find_entry(uint32_t address)
{
    uint32_t index;

    __asm__ volatile("tlbsx %0, 0, %1" : "=r"(index) : "r"(address));
    return index;
}

/* Word 1 for a page of the running process; 0: it has none there. */
static uint32_t page_table(uint32_t address)
{
    uint32_t number = (address - USER_DATA) >> 12;

    if (address - USER_CODE < 0x2000) {
        return (DATA + 0x1000 * (CODE_PAGE + ((address - USER_CODE) >> 12))) | EX | ZONE(1);
    }
    if (number >= PAGES) {
        return 0;
    }
    return (DATA + 0x1000 * (CODE_PAGE + 2 + now * PAGES + number)) | (process[now].dirty >> number & 1 ? WR : 0) | ZONE(1);
}

static void reload(uint32_t address)
{
    uint32_t lo = page_table(address);

    if (lo == 0) {
        count[UNEXPECTED]++;
        kernel_stop();
    }
    write_entry(turn, (address & 0xFFFFF000u) | VALID_4K, lo);
    turn = (turn + 1) % entries;
}

static void first_store(uint32_t address)
{
    uint32_t index = find_entry(address) % 64;

    process[now].dirty |= 1u << ((address - USER_DATA) >> 12 & 31);
    write_entry(index, (address & 0xFFFFF000u) | VALID_4K, page_table(address));
}

/* The word at an address of the process, in the kernel's own translated mode. */
static uint32_t read_user(uint32_t address)
{
    uint32_t word;

    __asm__ volatile("mtmsr %2\n isync\n lwz %0, 0(%1)\n mtmsr %3\n isync"
                     : "=&r"(word)
                     : "b"(address), "r"(MSR_KERNEL), "r"(MSR_REAL)
                     : "memory");
    return word;
}

static void to_next(struct frame *frame)
{
    uint32_t tries;

    copy(&process[now].frame, frame);
    for (tries = 0; tries < PROCESSES; tries++) {
        now = (now + 1) % PROCESSES;
        if (!process[now].done) {
            copy(frame, &process[now].frame);
            mtspr(SPR_PID, process[now].pid);
            return;
        }
    }
    kernel_stop();
}

static void call(struct frame *frame)
{
    process[now].calls++;
    if (frame->gpr[0] != 0) {
        process[now].done = 1;
    } else {
        process[now].sum = process[now].sum * 3 + read_user(frame->gpr[10] ^ 0x5000);
    }
    to_next(frame);
}

void kernel_trap(uint32_t vector, struct frame *frame)
{
    switch (vector) {
    case 0x1200:
        count[FETCH_MISS]++;
        reload(frame->srr0);
        break;
    case 0x1100:
        count[(frame->srr1 & 0x4000) ? DATA_MISS : NESTED_MISS]++;
        reload(mfspr(SPR_DEAR));
        break;
    case 0x300:
        count[FIRST_STORE]++;
        first_store(mfspr(SPR_DEAR));
        break;
    case 0xC00:
        count[CALL]++;
        call(frame);
        break;
    case 0x1000:
        count[TIMER]++;
        mtspr(SPR_TSR, 0x08000000u);
        to_next(frame);
        break;
    default:
        count[UNEXPECTED]++;
        kernel_stop();
    }
}

static void copy_code(uint32_t page, const uint32_t *from, const uint32_t *end)
{
    uint32_t *to = (uint32_t *)(DATA + 0x1000 * page);

    for (uint32_t i = 0; from + i < end; i++) {
        to[i] = from[i];
    }
    flush(to, (uint32_t)(end - from));
}

static void prepare(uint32_t limit)
{
    volatile uint32_t *data = (volatile uint32_t *)(DATA + 0x2000);

    copy_code(CODE_PAGE, program, program_end);
    copy_code(CODE_PAGE + 1, program_function, program_function_end);
    for (uint32_t i = 0; i < PROCESSES * PAGES * 0x400; i++) {
        data[i] = i * 0x9E3779B1u;
    }
    for (uint32_t i = 0; i < PROCESSES; i++) {
        static const uint32_t pids[PROCESSES] = {1, 2, 0xFF};
        struct frame *frame = &process[i].frame;

        for (uint32_t word = 0; word < sizeof(process[i]) / 4; word++) {
            ((uint32_t *)&process[i])[word] = 0;
        }
        process[i].pid = pids[i];
        frame->gpr[3] = 0x11111111 * (i + 1);
        frame->gpr[4] = USER_DATA;
        frame->gpr[9] = USER_CODE + 0x1000;
        frame->gpr[31] = LOOPS;
        frame->srr0 = USER_CODE;
        frame->srr1 = MSR_USER;
    }
    for (uint32_t i = 0; i < COUNTS; i++) {
        count[i] = 0;
    }
    entries = limit;
    now = turn = 0;
}

static void put_results(uint32_t limit, uint32_t timer)
{
    for (uint32_t i = 0; i < PROCESSES; i++) {
        put_text(timer ? "mmu.kernel.timer." : "mmu.kernel.");
        put_hex(limit, 2);
        put_text(".");
        put_hex(i, 1);
        put_field("r5", process[i].frame.gpr[5], 8);
        put_field("r6", process[i].frame.gpr[6], 8);
        put_field("sum", process[i].sum, 8);
        put_field("calls", process[i].calls, 8);
        put_text("\n");
    }
    put_text(timer ? "mmu.kernel.timer." : "mmu.kernel.");
    put_hex(limit, 2);
    put_text(".counts");
    for (uint32_t i = 0; i < COUNTS; i++) {
        put_field(count_names[i], timer && i != UNEXPECTED && i != CALL ? count[i] != 0 : count[i], 8);
    }
    put_text("\n");
}

static void run(uint32_t limit, uint32_t timer)
{
    quiesce();
    mmu_clear();
    prepare(limit);
    mtspr(SPR_ZPR, 0x55555554);
    write_entry(PINNED, 0x00010000 | VALID_64K, 0x00010000 | EX | ZONE(15));
    mtspr(SPR_PID, process[0].pid);
    mtspr(SPR_EVPR, KERNEL);
    copy(&first[1], &process[0].frame);
    if (timer) {
        mtspr(SPR_TCR, TCR_PIE | TCR_ARE);
        mtspr(SPR_PIT, TIMER_TICKS);
    }
    kernel_start(&first[1]);
    __asm__ volatile("mtmsr %0\n isync" ::"r"(MSR_REAL) : "memory");
    mtspr(SPR_EVPR, 0);
    quiesce();
    mmu_clear();
    put_results(limit, timer);
    probe_count++;
}

void kernel_runs(void)
{
    static const uint8_t limits[] = {3, 12, 62};

    for (uint32_t i = 0; i < sizeof(limits); i++) {
        run(limits[i], 0);
        run(limits[i], 1);
    }
}
