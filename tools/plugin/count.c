/*
 * count.c: a TCG plugin for QEMU (7.2 and 10.0) that counts, exactly, who executes what on a PPC405 under Proteus.
 *
 * Hypervisor and guests both run at low addresses, the one in real mode and the others translated, so they are told
 * apart by *machine* address: QEMU gives each instruction's host address, and the host address of machine address 0 is
 * learnt from the first instruction after reset, which runs in real mode.
 *
 * An excursion is what the hypervisor executes from a vector to the next instruction of a guest. It is filed under
 * (from, vector, trapped word, word before, to, outcome):
 *
 *   from, to   a VM, or one of boot, work (the start of a VM, in pieces: the hypervisor's own code behind an rfi), idle (the
 *              hypervisor was waiting for an interrupt), resuming (an interrupt came before the guest's first instruction
 *              after the hypervisor's rfi), and as `to` also end
 *   word       what the guest tried to execute, for vectors that an instruction raises; 0 for interrupts. A callback
 *              comes before its instruction executes, so the last one of the guest is the one that trapped.
 *   before     of an sc, the word in front of it in memory: there the number of a hypercall is loaded. Else 0
 *   outcome    next       resumed behind the trapped (or last) instruction
 *              retry      resumed at the trapped instruction
 *              vector     resumed at an exception vector of its own, whose offset is in to_vector (likewise after a switch)
 *              jump       resumed elsewhere
 *              switch     another VM resumed
 *              idle       ended by waiting
 *              preempted  another interrupt came with the rfi
 *              end        the run ended
 *
 * What a VM costs (hyp_insns) is every excursion that it began, and every one that began while the hypervisor resumed it or
 * waited, for the VM that goes on in the end: nothing that is done for a guest is nobody's.
 *
 * A branch to itself is waiting (on the chip, MSR[WE] stops the processor there; QEMU does so only for an mtmsr): it is
 * counted as `waiting` and in nothing else.
 *
 * A walk is a stretch of a guest's code whose cost is asked for: how often it was begun (its first instruction), what the
 * guest executed in it, and what the hypervisor did because of an instruction of it. Interrupts are not its fault.
 *
 * Arguments: out=FILE       the report                        hyp=LO-HI        hypervisor code; may repeat
 *            native=on      everything is one guest, "native" vm=NAME:LO-HI    a VM's memory; may repeat
 *            paths=on       the longest excursion of each key, address by address
 *            profile=on     executions of each hypervisor address
 *            walk=NAME:LO-HI   a walk, by machine address; may repeat
 *            trace=N        the first N excursions, address by address
 *            ram=BYTES      the board's RAM (default 128 MiB)
 * HI is the first address behind the range. The report is JSON, written when QEMU exits; tools/bench.py reads it.
 */
#include "qemu_plugin.h"
#include "timing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

// QEMU reads the version when it has loaded the plugin: by then it is the one that this QEMU serves.
__attribute__((constructor)) static void version_choose(void)
{
    if (qemu_plugin_scoreboard_new != NULL) {
        qemu_plugin_version = QEMU_PLUGIN_VERSION_COPY;
    }
}

enum { RANGE_MAX = 32, VM_MAX = 16, WALK_MAX = 32, PATH_MAX_STEPS = 1024, KEY_BUCKETS = 4096 };
enum party { PARTY_WORK = -7, PARTY_END, PARTY_RESUMING, PARTY_IDLE, PARTY_BOOT, PARTY_STRAY, PARTY_HYPERVISOR, PARTY_VM = 0 };
enum outcome { OUTCOME_NEXT, OUTCOME_RETRY, OUTCOME_VECTOR, OUTCOME_JUMP, OUTCOME_SWITCH, OUTCOME_IDLE,
               OUTCOME_PREEMPTED, OUTCOME_END };
static const char *const outcome_names[] = { "next", "retry", "vector", "jump", "switch", "idle", "preempted", "end" };

struct range {
    uint64_t low, high;
    int party;
};

// One instruction as translated: the same machine address under another virtual address or word is another record.
struct insn {
    uint32_t pc, machine, word;
    uint32_t before;                // the word in front of it, of an sc
    int party;
    int walk;                       // index into walks, or -1
    bool waiting;
    uint64_t count;
    struct insn_facts facts;
    struct insn *next;
};

struct vm {
    char name[32];
    uint64_t insns, cycles;         // executed by the guest itself
    uint64_t hyp_insns, hyp_cycles; // executed by the hypervisor for this VM
    uint64_t first, last;           // serial number of its first and last instruction in the run
    uint64_t privileged;            // excursions by a program interrupt
};

struct walk {
    char name[32];
    uint64_t low, high;             // machine addresses
    uint64_t begun, insns;
    uint64_t excursions, hyp_insns, hyp_cycles;
};

struct bin {
    uint32_t insns;
    uint64_t count;
};

struct key {
    int from, to;
    uint32_t vector, word, before, to_vector;
    enum outcome outcome;
    uint64_t count, insns, cycles;
    uint32_t insns_min, insns_max, cycles_min, cycles_max;
    struct bin *bins;
    size_t bin_count;
    uint32_t *path;
    size_t path_length;
    struct key *next;
};

static struct range ranges[RANGE_MAX];
static size_t range_count;
static struct vm vms[VM_MAX];
static int vm_count;
static struct walk walks[WALK_MAX];
static int walk_count;
static struct insn **pages[1u << 20];       // by machine address: 1024 chains each
static struct key *keys[KEY_BUCKETS];
static const char *out_path;
static bool native, want_paths, want_profile;
static uint64_t trace_left;
static uint64_t ram_size = UINT64_C(128) << 20;
static FILE *trace_file;

static uint8_t *ram_host, *rom_host;        // host address of machine 0 and of ROM_BASE; NULL until known
static const uint32_t ROM_BASE = 0xFFF80000;

// The state of the run.
static struct insn *last, *last_guest;      // last instruction of anyone, and of a guest
static bool in_excursion;
static uint64_t serial, waiting_insns, hyp_insns, hyp_cycles, boot_insns, stray_insns, odd_entries, nested_faults;
static struct {
    int from;
    int walk;
    uint32_t vector, word, before, pc, insns, cycles;
    uint32_t path[PATH_MAX_STEPS];
    size_t path_length;
} excursion;

static void fail(const char *cause, const char *detail)
{
    fprintf(stderr, "count plugin: %s%s\n", cause, detail);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fail("out of memory", "");
    }
    return memory;
}

static bool is_vector(uint32_t pc)
{
    switch (pc & 0xFFFF) {
    case 0x0100: case 0x0200: case 0x0300: case 0x0400: case 0x0500: case 0x0600: case 0x0700: case 0x0800:
    case 0x0C00: case 0x0F20: case 0x1000: case 0x1010: case 0x1020: case 0x1100: case 0x1200: case 0x2000:
        return true;
    default:
        return false;
    }
}

// Raised by what the guest's last instruction did, so that its word says why.
static bool vector_is_synchronous(uint32_t vector)
{
    switch (vector) {
    case 0x0300: case 0x0600: case 0x0700: case 0x0800: case 0x0C00: case 0x0F20: case 0x1100:
        return true;
    default:
        return false;
    }
}

static bool vector_is_interrupt(uint32_t vector)
{
    return vector == 0x0100 || vector == 0x0500 || vector == 0x1000 || vector == 0x1010 || vector == 0x1020;
}

/* ---- machine addresses ---- */

// The host mapping that holds an address: QEMU maps the board's RAM as one piece of exactly its size.
static uint8_t *ram_from_maps(const uint8_t *host)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    uint8_t *base = NULL;
    char line[512];

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        uint64_t low = 0;
        uint64_t high = 0;
        uint64_t address = (uint64_t)(uintptr_t)host;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64, &low, &high) == 2 && address >= low && address < high
            && high - low >= ram_size) {
            base = (uint8_t *)(uintptr_t)(high - ram_size);
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return base;
}

// In: an instruction's host and virtual address. The first instruction of the run is in real mode and calibrates.
static bool machine_address(uint8_t *host, uint32_t pc, uint32_t *machine)
{
    bool first = ram_host == NULL && rom_host == NULL;

    if (host == NULL) {
        return false;
    }
    if (first && pc >= ROM_BASE) {
        rom_host = host - (pc - ROM_BASE);
    } else if (first) {
        ram_host = host - pc;
    }
    if (rom_host != NULL && host >= rom_host && host < rom_host + (0u - ROM_BASE)) {
        *machine = ROM_BASE + (uint32_t)(host - rom_host);
        return true;
    }
    if (ram_host == NULL) {
        ram_host = ram_from_maps(host);
    }
    if (ram_host == NULL || host < ram_host || host >= ram_host + ram_size) {
        return false;
    }
    *machine = (uint32_t)(host - ram_host);
    return true;
}

static int party_of(uint32_t machine)
{
    if (native) {
        return PARTY_VM;
    }
    for (size_t i = 0; i < range_count; i++) {
        if (machine >= ranges[i].low && machine < ranges[i].high) {
            return ranges[i].party;
        }
    }
    return PARTY_STRAY;
}

static int walk_of(uint32_t machine)
{
    for (int i = 0; i < walk_count; i++) {
        if (machine >= walks[i].low && machine < walks[i].high) {
            return i;
        }
    }
    return -1;
}

static struct insn *insn_record(uint32_t machine, uint32_t pc, uint32_t word, bool mapped)
{
    struct insn **page = pages[machine >> 12];
    struct insn **chain;

    if (page == NULL) {
        page = pages[machine >> 12] = allocate(1024, sizeof *page);
    }
    chain = &page[machine >> 2 & 1023];
    for (struct insn *insn = *chain; insn != NULL; insn = insn->next) {
        if (insn->pc == pc && insn->word == word) {
            return insn;
        }
    }
    struct insn *insn = allocate(1, sizeof *insn);
    *insn = (struct insn){ .pc = pc, .machine = machine, .word = word, .facts = insn_decode(word), .next = *chain,
                           .party = mapped || native ? party_of(machine) : PARTY_STRAY, .walk = walk_of(machine) };
    insn->waiting = insn->facts.branch == BRANCH_KNOWN && !insn->facts.absolute && insn->facts.displacement == 0;
    *chain = insn;
    return insn;
}

/* ---- excursions ---- */

static const char *party_name(int party)
{
    switch (party) {
    case PARTY_WORK: return "work";
    case PARTY_END: return "end";
    case PARTY_RESUMING: return "resuming";
    case PARTY_IDLE: return "idle";
    case PARTY_BOOT: return "boot";
    default: return vms[party].name;
    }
}

static struct key *key_find(int to, enum outcome outcome, uint32_t to_vector)
{
    uint32_t hash = ((excursion.word + excursion.before) * 2654435761u) ^ (excursion.vector * 40503u)
                    ^ (uint32_t)(excursion.from * 97) ^ (uint32_t)(to * 31) ^ (uint32_t)outcome ^ to_vector;
    struct key **chain = &keys[(hash ^ hash >> 16) % KEY_BUCKETS];

    for (struct key *key = *chain; key != NULL; key = key->next) {
        if (key->from == excursion.from && key->to == to && key->vector == excursion.vector
            && key->word == excursion.word && key->before == excursion.before && key->outcome == outcome
            && key->to_vector == to_vector) {
            return key;
        }
    }
    struct key *key = allocate(1, sizeof *key);
    *key = (struct key){ .from = excursion.from, .to = to, .vector = excursion.vector, .word = excursion.word,
                         .before = excursion.before, .outcome = outcome, .to_vector = to_vector, .insns_min = UINT32_MAX,
                         .cycles_min = UINT32_MAX, .next = *chain };
    *chain = key;
    return key;
}

static void key_count_bin(struct key *key, uint32_t insns)
{
    for (size_t i = 0; i < key->bin_count; i++) {
        if (key->bins[i].insns == insns) {
            key->bins[i].count++;
            return;
        }
    }
    struct bin *bins = realloc(key->bins, (key->bin_count + 1) * sizeof *bins);
    if (bins == NULL) {
        fail("out of memory", "");
    }
    key->bins = bins;
    key->bins[key->bin_count++] = (struct bin){ insns, 1 };
}

static void key_keep_path(struct key *key)
{
    free(key->path);
    key->path = allocate(excursion.path_length + 1, sizeof *key->path);
    memcpy(key->path, excursion.path, excursion.path_length * sizeof *key->path);
    key->path_length = excursion.path_length;
}

static void trace_excursion(int to, enum outcome outcome)
{
    fprintf(trace_file, "%s {\"from\": \"%s\", \"pc\": %" PRIu32 ", \"vector\": %" PRIu32 ", \"word\": %" PRIu32
            ", \"to\": \"%s\", \"outcome\": \"%s\", \"insns\": %" PRIu32 ", \"path\": [",
            ftell(trace_file) == 0 ? "" : ",\n", party_name(excursion.from), excursion.pc, excursion.vector,
            excursion.word, party_name(to), outcome_names[outcome], excursion.insns);
    for (size_t i = 0; i < excursion.path_length; i++) {
        fprintf(trace_file, "%s%" PRIu32, i == 0 ? "" : ", ", excursion.path[i]);
    }
    fputs("]}", trace_file);
    trace_left--;
}

// An excursion is paid by the VM that began it; without one, by the VM that goes on, if need be behind further excursions.
static void charge(int to)
{
    static uint64_t open_insns, open_cycles;
    int payer = excursion.from >= PARTY_VM ? excursion.from : to;

    if (excursion.from == PARTY_BOOT || excursion.from == PARTY_WORK || to == PARTY_END) {
        payer = excursion.from;
    } else if (excursion.from < PARTY_VM) {
        open_insns += excursion.insns;
        open_cycles += excursion.cycles;
    }
    if (payer < PARTY_VM) {
        return;
    }
    if (excursion.from >= PARTY_VM) {
        vms[payer].hyp_insns += excursion.insns;
        vms[payer].hyp_cycles += excursion.cycles;
    } else {
        vms[payer].hyp_insns += open_insns;
        vms[payer].hyp_cycles += open_cycles;
        open_insns = open_cycles = 0;
    }
}

static void excursion_close(int to, enum outcome outcome, uint32_t to_vector)
{
    struct key *key = key_find(to, outcome, to_vector);

    key->count++;
    key->insns += excursion.insns;
    key->cycles += excursion.cycles;
    if (excursion.insns < key->insns_min) {
        key->insns_min = excursion.insns;
    }
    if (excursion.insns > key->insns_max) {
        key->insns_max = excursion.insns;
        if (want_paths) {
            key_keep_path(key);
        }
    }
    if (excursion.cycles < key->cycles_min) {
        key->cycles_min = excursion.cycles;
    }
    if (excursion.cycles > key->cycles_max) {
        key->cycles_max = excursion.cycles;
    }
    key_count_bin(key, excursion.insns);
    charge(to);
    if (excursion.from >= PARTY_VM) {
        vms[excursion.from].privileged += excursion.vector == 0x0700;
    }
    if (excursion.walk >= 0) {
        walks[excursion.walk].excursions++;
        walks[excursion.walk].hyp_insns += excursion.insns;
        walks[excursion.walk].hyp_cycles += excursion.cycles;
    }
    if (trace_left > 0) {
        trace_excursion(to, outcome);
    }
    in_excursion = false;
}

static void excursion_open(int from, const struct insn *entry)
{
    bool raised;

    in_excursion = true;
    excursion.from = from;
    excursion.vector = from == PARTY_BOOT ? 0 : entry->pc & 0xFFFF;
    raised = from >= PARTY_VM && vector_is_synchronous(excursion.vector);
    excursion.word = raised ? last_guest->word : 0;
    excursion.before = raised ? last_guest->before : 0;
    excursion.walk = raised ? last_guest->walk : -1;
    excursion.pc = last_guest == NULL ? 0 : last_guest->pc;
    excursion.insns = 0;
    excursion.cycles = from == PARTY_BOOT ? 0 : CYCLES_ENTRY;
    excursion.path_length = 0;
    if (from != PARTY_BOOT && from != PARTY_WORK && !is_vector(entry->pc)) {
        excursion.vector = 0;
        odd_entries++;
    }
}

// Whether the hypervisor's instruction `next` was reached by an interrupt and not from the hypervisor's previous one.
static bool is_new_entry(const struct insn *previous, const struct insn *next)
{
    const struct insn_facts *facts = &previous->facts;
    uint32_t target = (uint32_t)facts->displacement + (facts->absolute ? 0 : previous->pc);

    if (!is_vector(next->pc) || next->pc == previous->pc + 4 || facts->branch == BRANCH_REGISTER) {
        return false;
    }
    return !(facts->relative && next->pc == target);
}

static void hypervisor_step(struct insn *insn, uint32_t cycles)
{
    if (!in_excursion) {
        excursion_open(last_guest == NULL ? PARTY_BOOT : last_guest->party, insn);
    } else if (last != NULL && is_new_entry(last, insn)) {
        if (last->facts.branch == BRANCH_RFI) {
            excursion_close(PARTY_RESUMING, OUTCOME_PREEMPTED, 0);
            excursion_open(PARTY_RESUMING, insn);
        } else if (vector_is_interrupt(insn->pc & 0xFFFF)) {
            excursion_close(PARTY_IDLE, OUTCOME_IDLE, 0);
            excursion_open(PARTY_IDLE, insn);
        } else {
            nested_faults++;
            excursion.cycles += CYCLES_ENTRY;
        }
    } else if (last != NULL && last->facts.branch == BRANCH_RFI && last->party == PARTY_HYPERVISOR) {
        excursion_close(PARTY_WORK, OUTCOME_IDLE, 0);
        excursion_open(PARTY_WORK, insn);
    }
    excursion.insns += insn->facts.words;
    excursion.cycles += cycles;
    hyp_insns += insn->facts.words;
    hyp_cycles += cycles;
    if (excursion.from == PARTY_BOOT) {
        boot_insns += insn->facts.words;
    }
    if (excursion.path_length < PATH_MAX_STEPS) {
        excursion.path[excursion.path_length++] = insn->pc;
    }
}

static enum outcome outcome_of(const struct insn *resumed)
{
    if (excursion.from >= PARTY_VM && resumed->party != excursion.from) {
        return OUTCOME_SWITCH;
    }
    if (last_guest != NULL && excursion.from >= PARTY_VM) {
        if (resumed->pc == last_guest->pc + 4) {
            return OUTCOME_NEXT;
        }
        if (resumed->pc == last_guest->pc && vector_is_synchronous(excursion.vector)) {
            return OUTCOME_RETRY;
        }
    }
    return is_vector(resumed->pc) ? OUTCOME_VECTOR : OUTCOME_JUMP;
}

// The next instruction of a guest ends an excursion.
static void guest_arrives(struct insn *insn)
{
    if (in_excursion) {
        enum outcome outcome = outcome_of(insn);
        excursion_close(insn->party, outcome, outcome == OUTCOME_VECTOR || (outcome == OUTCOME_SWITCH && is_vector(insn->pc))
                                                   ? insn->pc & 0xFFFF : 0);
    }
    last_guest = insn;
}

static void guest_step(struct insn *insn, uint32_t cycles)
{
    struct vm *vm = &vms[insn->party];

    guest_arrives(insn);
    if (vm->first == 0) {
        vm->first = serial;
    }
    vm->last = serial;
    vm->insns += insn->facts.words;
    vm->cycles += cycles;
    if (insn->walk >= 0) {
        walks[insn->walk].begun += insn->machine == walks[insn->walk].low;
        walks[insn->walk].insns += insn->facts.words;
    }
}

/* ---- every instruction ---- */

// What the instruction costs more because of the one before it.
static uint32_t cycles_after(const struct insn *before, const struct insn *insn)
{
    uint32_t cycles = (before->facts.loads & insn->facts.uses) != 0 ? CYCLES_LOAD_USE : 0;
    bool taken = insn->pc != before->pc + 4;

    switch (before->facts.branch) {
    case BRANCH_KNOWN:
        return cycles + CYCLES_TAKEN;
    case BRANCH_PREDICTED_TAKEN:
        return cycles + (taken ? CYCLES_TAKEN : CYCLES_MISPREDICT);
    case BRANCH_PREDICTED_NOT:
        return cycles + (taken ? CYCLES_MISPREDICT : 0);
    case BRANCH_REGISTER:
        return cycles + (taken ? CYCLES_TAKEN : 0);
    default:
        return cycles;
    }
}

// The wait itself costs nothing, but who waits has taken over.
static void waiting_step(struct insn *insn)
{
    waiting_insns++;
    if (insn->party >= PARTY_VM && insn != last) {
        guest_arrives(insn);
    }
    last = insn;
}

static void on_insn(unsigned int vcpu, void *userdata)
{
    struct insn *insn = userdata;
    uint32_t cycles = insn->facts.cycles;

    (void)vcpu;
    insn->count++;
    if (insn->waiting) {
        waiting_step(insn);
        return;
    }
    serial += insn->facts.words;
    if (last != NULL && last->party == insn->party) {
        cycles += cycles_after(last, insn);
        if (last->facts.sets_target && insn->facts.branch == BRANCH_REGISTER) {
            cycles += CYCLES_ADDRESS - CYCLES_TAKEN;
        }
    }
    if (insn->party >= PARTY_VM) {
        guest_step(insn, cycles);
    } else if (insn->party == PARTY_HYPERVISOR) {
        hypervisor_step(insn, cycles);
    } else {
        stray_insns += insn->facts.words;
    }
    last = insn;
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Version 1 gives where the word is and takes no more notice of `copy` than any function does of an argument too many.
static uint32_t insn_word(const struct qemu_plugin_insn *handle)
{
    uint8_t copy[4] = { 0 };
    const uint8_t *bytes = qemu_plugin_insn_data(handle, copy, sizeof copy);

    return word_at(qemu_plugin_version < QEMU_PLUGIN_VERSION_COPY ? bytes : copy);
}

// The word in front of an sc, as long as it is on the same page: behind that there may be no memory.
static uint32_t word_before(uint32_t pc, uint32_t word, const uint8_t *host)
{
    return word >> 26 == 17 && host != NULL && (pc & 0x3FF) != 0 ? word_at(host - 4) : 0;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t count = qemu_plugin_tb_n_insns(tb);

    (void)id;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *handle = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word = insn_word(handle);
        uint32_t pc = (uint32_t)qemu_plugin_insn_vaddr(handle);
        uint32_t machine = pc;
        bool mapped = machine_address(qemu_plugin_insn_haddr(handle), pc, &machine);
        struct insn *insn = insn_record(machine, pc, word, mapped);
        insn->before = mapped ? word_before(pc, word, qemu_plugin_insn_haddr(handle)) : 0;
        qemu_plugin_register_vcpu_insn_exec_cb(handle, on_insn, QEMU_PLUGIN_CB_NO_REGS, insn);
    }
}

/* ---- the report ---- */

static void report_key(FILE *out, const struct key *key, bool first)
{
    fprintf(out, "%s\n  {\"from\": \"%s\", \"vector\": %" PRIu32 ", \"word\": %" PRIu32
            ", \"before\": %" PRIu32 ", ", first ? "" : ",", party_name(key->from), key->vector, key->word, key->before);
    fprintf(out, "\"to\": \"%s\", \"outcome\": \"%s\", \"to_vector\": %" PRIu32 ", \"count\": %" PRIu64,
            party_name(key->to), outcome_names[key->outcome], key->to_vector, key->count);
    fprintf(out, ",\n   \"insns\": {\"min\": %" PRIu32 ", \"max\": %" PRIu32 ", \"sum\": %" PRIu64 "}", key->insns_min,
            key->insns_max, key->insns);
    fprintf(out, ", \"cycles\": {\"min\": %" PRIu32 ", \"max\": %" PRIu32 ", \"sum\": %" PRIu64 "}", key->cycles_min,
            key->cycles_max, key->cycles);
    fputs(",\n   \"histogram\": [", out);
    for (size_t i = 0; i < key->bin_count; i++) {
        fprintf(out, "%s[%" PRIu32 ", %" PRIu64 "]", i == 0 ? "" : ", ", key->bins[i].insns, key->bins[i].count);
    }
    fputs("]", out);
    if (want_paths) {
        fputs(", \"longest\": [", out);
        for (size_t i = 0; i < key->path_length; i++) {
            fprintf(out, "%s%" PRIu32, i == 0 ? "" : ", ", key->path[i]);
        }
        fputs("]", out);
    }
    fputs("}", out);
}

static void report_keys(FILE *out)
{
    bool first = true;

    fputs(" \"excursions\": [", out);
    for (size_t i = 0; i < KEY_BUCKETS; i++) {
        for (const struct key *key = keys[i]; key != NULL; key = key->next) {
            report_key(out, key, first);
            first = false;
        }
    }
    fputs("]", out);
}

static void report_profile(FILE *out)
{
    bool first = true;

    fputs(",\n \"profile\": [", out);
    for (uint32_t slot = 0; slot < 1u << 30; slot++) {
        if (pages[slot >> 10] == NULL) {
            slot |= 1023;
            continue;
        }
        for (const struct insn *insn = pages[slot >> 10][slot & 1023]; insn != NULL; insn = insn->next) {
            if (insn->party == PARTY_HYPERVISOR && insn->count != 0) {
                fprintf(out, "%s\n  [%" PRIu32 ", %" PRIu32 ", %" PRIu64 "]", first ? "" : ",", insn->machine,
                        insn->word, insn->count);
                first = false;
            }
        }
    }
    fputs("]", out);
}

static void report_trace(FILE *out)
{
    int character;

    fputs(",\n \"trace\": [\n", out);
    rewind(trace_file);
    while ((character = fgetc(trace_file)) != EOF) {
        fputc(character, out);
    }
    fputs("]", out);
}

static void report_totals(FILE *out)
{
    fprintf(out, " \"version\": 1,\n \"total\": %" PRIu64 ",\n \"waiting\": %" PRIu64 ",\n", serial, waiting_insns);
    fprintf(out, " \"hypervisor\": {\"insns\": %" PRIu64 ", \"cycles\": %" PRIu64 ", \"boot_insns\": %" PRIu64 "},\n",
            hyp_insns, hyp_cycles, boot_insns);
    fprintf(out, " \"stray_insns\": %" PRIu64 ",\n \"odd_entries\": %" PRIu64 ",\n \"nested_faults\": %" PRIu64 ",\n",
            stray_insns, odd_entries, nested_faults);
    fputs(" \"vms\": {", out);
    for (int i = 0; i < vm_count; i++) {
        const struct vm *vm = &vms[i];
        fprintf(out, "%s\n  \"%s\": {\"insns\": %" PRIu64 ", \"cycles\": %" PRIu64 ", \"hyp_insns\": %" PRIu64
                ", \"hyp_cycles\": %" PRIu64 ", \"first\": %" PRIu64 ", \"last\": %" PRIu64 ", \"privileged\": %" PRIu64
                "}", i == 0 ? "" : ",", vm->name, vm->insns, vm->cycles, vm->hyp_insns, vm->hyp_cycles, vm->first,
                vm->last, vm->privileged);
    }
    fputs("},\n \"walks\": {", out);
    for (int i = 0; i < walk_count; i++) {
        const struct walk *walk = &walks[i];
        fprintf(out, "%s\n  \"%s\": {\"begun\": %" PRIu64 ", \"insns\": %" PRIu64 ", \"excursions\": %" PRIu64
                ", \"hyp_insns\": %" PRIu64 ", \"hyp_cycles\": %" PRIu64 "}", i == 0 ? "" : ",", walk->name, walk->begun,
                walk->insns, walk->excursions, walk->hyp_insns, walk->hyp_cycles);
    }
    fputs("},\n \"model\": [", out);
#define TIMING_ROW(name, cycles, what, source) \
    fprintf(out, "%s\n  [\"%s\", %d, \"%s\", \"%s\"]", comma, #name, (cycles), (what), (source)); \
    comma = ",";
    const char *comma = "";
    TIMING_TABLE(TIMING_ROW)
    fputs("],\n", out);
}

static void on_exit_qemu(qemu_plugin_id_t id, void *userdata)
{
    char temporary[1024];
    FILE *out;

    (void)id;
    (void)userdata;
    if (in_excursion) {
        excursion_close(PARTY_END, OUTCOME_END, 0);
    }
    snprintf(temporary, sizeof temporary, "%s.tmp", out_path);
    out = fopen(temporary, "w");
    if (out == NULL) {
        fprintf(stderr, "count plugin: cannot write %s\n", temporary);
        return;
    }
    fputs("{\n", out);
    report_totals(out);
    report_keys(out);
    if (want_profile) {
        report_profile(out);
    }
    if (trace_file != NULL) {
        report_trace(out);
    }
    fputs("\n}\n", out);
    if (fclose(out) != 0 || rename(temporary, out_path) != 0) {
        fprintf(stderr, "count plugin: cannot write %s\n", out_path);
    }
}

/* ---- arguments ---- */

// LO-HI
static void parse_range(const char *text, uint64_t *low, uint64_t *high)
{
    if (sscanf(text, "%" SCNi64 "-%" SCNi64, (int64_t *)low, (int64_t *)high) != 2 || *high <= *low
        || *high > UINT64_C(1) << 32) {
        fail("a range is LO-HI with LO < HI, not ", text);
    }
}

static void add_range(const char *text, int party)
{
    if (range_count == RANGE_MAX) {
        fail("too many ranges at ", text);
    }
    parse_range(text, &ranges[range_count].low, &ranges[range_count].high);
    ranges[range_count++].party = party;
}

// NAME:LO-HI; gives LO-HI.
static const char *parse_name(const char *text, char *name, size_t size, const char *rule)
{
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);

    if (length == 0 || length >= size || strcspn(text, "\"\\") < length) {
        fail(rule, text);
    }
    memcpy(name, text, length);
    return colon + 1;
}

static void add_vm(const char *text)
{
    if (vm_count == VM_MAX) {
        fail("too many VMs at ", text);
    }
    add_range(parse_name(text, vms[vm_count].name, sizeof vms[0].name, "a VM is NAME:LO-HI, not "), PARTY_VM + vm_count);
    vm_count++;
}

static void add_walk(const char *text)
{
    struct walk *walk = &walks[walk_count];

    if (walk_count == WALK_MAX) {
        fail("too many walks at ", text);
    }
    parse_range(parse_name(text, walk->name, sizeof walk->name, "a walk is NAME:LO-HI, not "), &walk->low, &walk->high);
    walk_count++;
}

static void argument(char *text)
{
    char *value = strchr(text, '=');

    if (value == NULL) {
        fail("an argument is NAME=VALUE, not ", text);
    }
    *value++ = '\0';
    bool on = strcmp(value, "on") == 0 || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
    if (strcmp(text, "out") == 0) {
        out_path = value;
    } else if (strcmp(text, "hyp") == 0) {
        add_range(value, PARTY_HYPERVISOR);
    } else if (strcmp(text, "vm") == 0) {
        add_vm(value);
    } else if (strcmp(text, "walk") == 0) {
        add_walk(value);
    } else if (strcmp(text, "native") == 0) {
        native = on;
    } else if (strcmp(text, "paths") == 0) {
        want_paths = on;
    } else if (strcmp(text, "profile") == 0) {
        want_profile = on;
    } else if (strcmp(text, "trace") == 0) {
        trace_left = strtoull(value, NULL, 0);
    } else if (strcmp(text, "ram") == 0) {
        ram_size = strtoull(value, NULL, 0);
    } else {
        fail("unknown argument ", text);
    }
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    if (strcmp(info->target_name, "ppc") != 0 || !info->system_emulation) {
        fail("this is for qemu-system-ppc, not ", info->target_name);
    }
    for (int i = 0; i < argc; i++) {
        argument(argv[i]);
    }
    if (out_path == NULL) {
        fail("out=FILE is missing", "");
    }
    if (native) {
        strcpy(vms[0].name, "native");
        vm_count = 1;
    }
    if (trace_left > 0) {
        trace_file = tmpfile();
        if (trace_file == NULL) {
            fail("cannot make a temporary file", "");
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_exit_qemu, NULL);
    return 0;
}
