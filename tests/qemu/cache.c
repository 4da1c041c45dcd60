/*
 * cache.c: what "cache-check" complains of. A letter from the console says what is done; capitals are mistakes.
 */
#include "bare.h"

#define DCCR  0x3FA
#define ICCR  0x3FB
#define PAGE  0x00080000
#define EA    0x40000000
#define WORD(address) (*(volatile uint32_t *)(address))
#define dcbst(address) __asm__ volatile("dcbst 0,%0; sync" : : "r"(address) : "memory")
#define dcbf(address)  __asm__ volatile("dcbf 0,%0; sync" : : "r"(address) : "memory")
#define dcbz(address)  __asm__ volatile("dcbz 0,%0" : : "r"(address) : "memory")
#define icbi(address)  __asm__ volatile("icbi 0,%0; isync" : : "r"(address) : "memory")

static void caches(uint32_t data, uint32_t instructions)
{
    mtspr(DCCR, data ? 0x80000000 : 0);
    mtspr(ICCR, instructions ? 0x80000000 : 0);
    isync();
}

static void write_code(void)
{
    WORD(PAGE + 8) = 0x38600011;                // li 3,0x11
    WORD(PAGE + 12) = 0x4E800020;               // blr
}

static void write_code_multiple(void)
{
    __asm__ volatile("lis 30,0x3860; ori 30,30,0x11; lis 31,0x4E80; ori 31,31,0x20; stmw 30,0(%0)"
                     : : "b"(PAGE + 8) : "r30", "r31", "memory");
}

static void call(void)
{
    show("called", ((uint32_t (*)(void))(PAGE + 8))());
}

// A load and a store by way of a page with I=1.
static uint32_t inhibited(void)
{
    WORD(EA + 16) = WORD(EA + 20);
    return 0;
}

static uint32_t inhibited_store(void)
{
    WORD(EA + 16) = 1;
    return 0;
}

static void in_page(void *function)
{
    tlbia();
    mtspr(PID, 0);
    mtspr(ZPR, 0x50000000);
    tlb_write(0, TLB_SIZE(5) | TLB_V, TLB_EX | TLB_WR);
    tlb_write(1, EA | TLB_SIZE(1) | TLB_V, PAGE | TLB_WR | TLB_I | TLB_G);
    run_in(function, MSR_IR | MSR_DR, 0, 0, 0);
}

int main(void)
{
    char letter = get();

    caches(1, 1);
    switch (letter) {
    case 'a':                                   // as the manual has it
        write_code();
        dcbst(PAGE + 12);
        icbi(PAGE + 8);
        call();
        break;
    case 'b':                                   // without caches nothing is needed
        caches(0, 0);
        write_code();
        call();
        break;
    case 'c':
        write_code_multiple();
        dcbf(PAGE);
        __asm__ volatile("iccci 0,0; isync" : : : "memory");
        call();
        break;
    case 'd':                                   // data beside code
        write_code();
        dcbst(PAGE);
        icbi(PAGE);
        WORD(PAGE + 16) = 1;
        call();
        break;
    case 'e':
        WORD(PAGE + 16) = 1;
        dcbf(PAGE + 16);
        in_page(inhibited);
        WORD(PAGE + 32) = 1;                    // another line
        in_page(inhibited);
        break;
    case 'f':                                   // written through: only the instruction cache is behind
        mtspr(0x3BA, 0x80000000);
        write_code();
        icbi(PAGE + 8);
        call();
        in_page(inhibited);
        break;
    case 'g':                                   // a misaligned store in the same page
        write_code();
        dcbst(PAGE);
        icbi(PAGE);
        *(volatile uint16_t *)(PAGE + 0x101) = 1;
        call();
        break;
    case 'A':
        write_code();
        icbi(PAGE + 8);
        call();
        break;
    case 'B':
        write_code();
        dcbst(PAGE + 8);
        call();
        break;
    case 'C':                                   // the wrong order
        write_code();
        icbi(PAGE + 8);
        dcbst(PAGE + 8);
        call();
        break;
    case 'D':
        write_code_multiple();
        dcbf(PAGE);
        call();
        break;
    case 'E':                                   // run once, then changed
        write_code();
        dcbst(PAGE);
        icbi(PAGE);
        call();
        WORD(PAGE + 8) = 0x38600012;
        call();
        break;
    case 'F':                                   // memory is right, the instruction cache need not be
        caches(0, 1);
        write_code();
        call();
        break;
    case 'G':
        WORD(PAGE + 16) = 1;
        dcbst(PAGE + 48);
        in_page(inhibited);
        break;
    case 'H':
        dcbz(PAGE);
        in_page(inhibited_store);
        break;
    case 'I':
        WORD(PAGE + 16) = 1;
        caches(0, 1);
        (void)WORD(PAGE + 16);
        break;
    }
    text("end\n");
    return 0;
}
