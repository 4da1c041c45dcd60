/*
 * link.ld.S: the hypervisor's code as src/proteus.lds.S has it, and the test behind it. But what is written has pages of its
 * own: on one with code, QEMU looks at each store for instructions that it changes, ten times as long as all the rest.
 */
#include "autoconf.h"
#include "board_values.h"
#include "partitions.h"

OUTPUT_ARCH(powerpc:common)
ENTRY(start)
machine = 0x2F00;

SECTIONS
{
    .test 0x100000 : {
        *test/run.o(.text) *test/differential.o(.text .text.* .rodata .rodata.*) . = ALIGN(4096);
        *test/run.o(.bss .bss.*) *test/differential.o(.data .data.* .bss .bss.*)
    }
    vectors = 0;
#define VECTOR(name, offset, class, keep, info, window, manual) .vector_##name offset : { KEEP(*(.vector_##name)) }
#include "vectors.def"
    .rodata 0x1240 : { *(.rodata.spr_table) *(.rodata .rodata.*) }

    .stack 0x2040 (NOLOAD) : { *(.stack) }
    .low . (NOLOAD) : ALIGN(4) { data_start = .; *(.low) }
    .bss (NOLOAD) : ALIGN(4) { *(.bss .bss.*) *(COMMON) . = ALIGN(4); low_end = .; }
    data_bytes = . - data_start;
    .text 0x3000 : { text_start = .; *(.text .text.*) text_end = .; }
#ifdef CONFIG_IRFM
    .vcpu REGISTERS_BASE (NOLOAD) : { registers_start = .; *(.vcpu) }
    registers_words = SIZEOF(.vcpu) / 4;
#else
    .vcpu 0x8000 (NOLOAD) : { *(.vcpu) }
#endif
    data_words = (low_end - data_start) / 4; /* the register files are zero, as all RAM of QEMU */
    /DISCARD/ : { *(.comment .note* .gnu.* .eh_frame* .got*) }
}

ASSERT(low_end <= machine && text_end <= 0x8000, "the hypervisor is larger than the test has room for")
