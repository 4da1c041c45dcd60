/*
 * timing.c: decodes an instruction word as far as the cycle model of timing.h asks.
 *
 * User-level instructions are grouped by which register fields they read; what is not listed reads RA and RB, as
 * most of opcode 31 does.
 */
#include "timing.h"

#define FIELD(word, shift) (((word) >> (shift)) & 31u)
#define RT(word) FIELD(word, 21)
#define RA(word) FIELD(word, 16)
#define RB(word) FIELD(word, 11)
#define GPR(n) (UINT32_C(1) << (n))

static uint32_t gpr_or_zero(uint32_t number)
{
    return number == 0 ? 0 : GPR(number);
}

static uint32_t gprs_from(uint32_t first)
{
    return ~UINT32_C(0) << first;
}

static void decode_branch(uint32_t word, struct insn_facts *facts)
{
    uint32_t opcode = word >> 26;
    bool always = (word & 0x02800000) == 0x02800000;
    bool hint = (word & 0x00200000) != 0;

    facts->absolute = (word & 2) != 0;
    facts->relative = true;
    if (opcode == 18) {
        facts->displacement = (int32_t)(word << 6) >> 6 & ~3;
        facts->branch = BRANCH_KNOWN;
        return;
    }
    facts->displacement = (int16_t)(word & 0xFFFC);
    if (always) {
        facts->branch = BRANCH_KNOWN;
    } else {
        facts->branch = ((facts->displacement < 0) != hint) ? BRANCH_PREDICTED_TAKEN : BRANCH_PREDICTED_NOT;
    }
}

static void decode_opcode_19(uint32_t word, struct insn_facts *facts)
{
    switch (word >> 1 & 0x3FF) {
    case 16: case 528:                                      // bclr, bcctr
        facts->branch = BRANCH_REGISTER;
        break;
    case 50: case 51:                                       // rfi, rfci
        facts->branch = BRANCH_RFI;
        facts->cycles = CYCLES_REFILL;
        break;
    case 150:                                               // isync
        facts->cycles = CYCLES_REFILL;
        break;
    default:
        break;
    }
}

static uint16_t string_words(uint32_t word)
{
    uint32_t bytes = RB(word) == 0 ? 32 : RB(word);
    return (uint16_t)((bytes + 3) / 4);
}

static void decode_opcode_31(uint32_t word, struct insn_facts *facts)
{
    uint32_t rt = GPR(RT(word));
    uint32_t ra = GPR(RA(word));
    uint32_t rb = GPR(RB(word));
    uint32_t spr = RA(word) | RB(word) << 5;

    facts->uses = ra | rb;
    switch (word >> 1 & 0x3FF) {
    case 20: case 23: case 55: case 87: case 119: case 279: case 311: case 343: case 375: case 534: case 790:
        facts->uses = gpr_or_zero(RA(word)) | rb;           // indexed loads
        facts->loads = rt;
        break;
    case 150:                                               // stwcx.
        facts->cycles = CYCLES_STWCX;
        facts->uses = rt | gpr_or_zero(RA(word)) | rb;
        break;
    case 151: case 183: case 215: case 247: case 407: case 439: case 662: case 918:
        facts->uses = rt | gpr_or_zero(RA(word)) | rb;      // indexed stores
        break;
    case 597: case 725:                                     // lswi, stswi
        facts->uses = gpr_or_zero(RA(word)) | ((word >> 1 & 0x3FF) == 725 ? rt : 0);
        facts->words = string_words(word);
        facts->cycles = (uint16_t)(facts->words * CYCLES_WORD);
        break;
    case 24: case 28: case 60: case 124: case 284: case 316: case 412: case 444: case 476: case 536: case 792:
        facts->uses = rt | rb;                              // logical and shifts: RA, RS, RB
        break;
    case 26: case 824: case 922: case 954:                  // cntlzw, srawi, extsh, extsb
        facts->uses = rt;
        break;
    case 104: case 200: case 202: case 232: case 234: case 616: case 712: case 714: case 744: case 746:
        facts->uses = ra;                                   // neg, addze, addme, subfze, subfme, with their o forms
        break;
    case 19: case 83: case 339: case 371:                   // mfcr, mfmsr, mfspr, mftb
        facts->uses = 0;
        break;
    case 144:                                               // mtcrf
        facts->uses = rt;
        break;
    case 467:                                               // mtspr
        facts->uses = rt;
        facts->sets_target = spr == 8 || spr == 9;
        break;
    case 131: case 146:                                     // wrtee, mtmsr
        facts->uses = rt;
        facts->cycles = CYCLES_REFILL;
        break;
    case 163:                                               // wrteei
        facts->uses = 0;
        facts->cycles = CYCLES_REFILL;
        break;
    case 323: case 451:                                     // mfdcr, mtdcr
        facts->uses = (word >> 1 & 0x3FF) == 451 ? rt : 0;
        facts->cycles = CYCLES_DCR;
        break;
    case 946: case 978:                                     // tlbre, tlbwe
        facts->uses = ra | ((word >> 1 & 0x3FF) == 978 ? rt : 0);
        break;
    case 11: case 75: case 235: case 747:                   // mulhwu, mulhw, mullw, mullwo
        facts->cycles = CYCLES_MULTIPLY;
        break;
    case 459: case 491: case 971: case 1003:                // divwu, divw, with their o forms
        facts->cycles = CYCLES_DIVIDE;
        break;
    default:
        break;
    }
}

struct insn_facts insn_decode(uint32_t word)
{
    struct insn_facts facts = { .words = 1, .cycles = CYCLES_BASE };
    uint32_t opcode = word >> 26;

    switch (opcode) {
    case 16: case 18:
        decode_branch(word, &facts);
        break;
    case 17:                                                // sc: the entry is counted with the interrupt
        break;
    case 19:
        decode_opcode_19(word, &facts);
        break;
    case 31:
        decode_opcode_31(word, &facts);
        break;
    case 4:                                                 // multiply-accumulate
        facts.uses = GPR(RT(word)) | GPR(RA(word)) | GPR(RB(word));
        break;
    case 7:
        facts.uses = GPR(RA(word));
        facts.cycles = CYCLES_MULTIPLY16;
        break;
    case 14: case 15:                                       // addi, addis
        facts.uses = gpr_or_zero(RA(word));
        break;
    case 20:                                                // rlwimi
        facts.uses = GPR(RT(word)) | GPR(RA(word));
        break;
    case 23:                                                // rlwnm
        facts.uses = GPR(RT(word)) | GPR(RB(word));
        break;
    case 21: case 24: case 25: case 26: case 27: case 28: case 29:
        facts.uses = GPR(RT(word));
        break;
    case 46:                                                // lmw
        facts.uses = gpr_or_zero(RA(word));
        facts.loads = gprs_from(RT(word));
        facts.words = (uint16_t)(32 - RT(word));
        facts.cycles = (uint16_t)(facts.words * CYCLES_WORD);
        break;
    case 47:                                                // stmw
        facts.uses = gpr_or_zero(RA(word)) | gprs_from(RT(word));
        facts.words = (uint16_t)(32 - RT(word));
        facts.cycles = (uint16_t)(facts.words * CYCLES_WORD);
        break;
    case 36: case 37: case 38: case 39: case 44: case 45:   // stores
        facts.uses = GPR(RT(word)) | gpr_or_zero(RA(word));
        break;
    default:
        if (opcode >= 32 && opcode <= 43) {                 // loads
            facts.uses = gpr_or_zero(RA(word));
            facts.loads = GPR(RT(word));
        } else {                                            // twi, subfic, cmpi, cmpli, addic, addic.
            facts.uses = GPR(RA(word));
        }
        break;
    }
    return facts;
}
