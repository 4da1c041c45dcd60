/*
 * timing.h: the cycle model of an in-order PPC405, and the few facts of an instruction that it needs.
 *
 * Every number of the model stands in TIMING_TABLE, with its source; count.c copies the table into its report and
 * the bench prints it. Caches hit always and memory is as fast as the cache: the model exists so that a path cannot
 * be made to look short by slow instructions, not to predict a board.
 */
#ifndef TIMING_H
#define TIMING_H

#include <stdbool.h>
#include <stdint.h>

// TIMING(name, cycles, what it is, source). "C.2.n" is section n of "Instruction Timings" in appendix C of the PPC405
// Core User's Manual.
#define TIMING_TABLE(TIMING) \
    TIMING(BASE,       1, "every instruction not named below", "C.2, caches hit") \
    TIMING(WORD,       1, "lmw, stmw, lswi, stswi: per word", "after C.2.7, aligned words") \
    TIMING(LOAD_USE,   1, "more, when the next instruction uses the loaded register", "C.2.4") \
    TIMING(TAKEN,      1, "more, branch taken and known or predicted so", "C.2.2, decoded in DCD") \
    TIMING(MISPREDICT, 2, "more, conditional branch against its static prediction", "C.2.2, worst case") \
    TIMING(ADDRESS,    2, "more, bclr or bcctr taken right after mtlr or mtctr (else as TAKEN)", "C.2.2") \
    TIMING(MULTIPLY,   4, "mullw, mulhw, mulhwu (32 by 32 bits)", "estimate after C.2.3") \
    TIMING(MULTIPLY16, 2, "mulli (32 by 16 bits)", "estimate after C.2.3") \
    TIMING(DIVIDE,    35, "divw, divwu", "estimate: a bit per cycle") \
    TIMING(STWCX,      2, "stwcx.", "C.2.5") \
    TIMING(DCR,        3, "mfdcr, mtdcr", "estimate: DCR bus handshake") \
    TIMING(REFILL,     5, "isync, rfi, rfci, mtmsr, wrtee, wrteei", "estimate: five-stage pipeline refill") \
    TIMING(ENTRY,      5, "interrupt entry", "estimate: five-stage pipeline refill")

#define TIMING_ENUM(name, cycles, what, source) CYCLES_##name = (cycles),
enum timing { TIMING_TABLE(TIMING_ENUM) };

enum branch_kind {
    NOT_A_BRANCH,
    BRANCH_KNOWN,
    BRANCH_PREDICTED_TAKEN,
    BRANCH_PREDICTED_NOT,
    BRANCH_REGISTER,            // bclr, bcctr
    BRANCH_RFI,                 // rfi, rfci
};

// What the model and the path counter need to know of one instruction word.
struct insn_facts {
    uint32_t uses;            // bit n: reads GPR n
    uint32_t loads;           // bit n: GPR n comes from memory
    uint16_t words;           // how many the path counter counts: 1, or the words that a multiple transfers
    uint16_t cycles;          // on its own
    enum branch_kind branch;
    bool relative;            // the branch has a target that is known from the word
    int32_t displacement;     // of that branch (absolute when the AA bit is set)
    bool absolute;
    bool sets_target;         // mtlr, mtctr
};

struct insn_facts insn_decode(uint32_t word);

#endif
