/*
 * proteus.lds.S: the linker script, run through the preprocessor with the product's configuration.
 *
 * RAM image: vectors at 0, constants and stack between them; in the lowest 32 KiB the assembler's code and words, and where it
 * enters C (ROAD of vcpu.h). ROM image: vectors at 0xFFFF0000, code and constants in the highest 32 KiB, these words in the
 * lowest; so the highest 64 KiB are enough for all but the guest images. Either way every address that the assembler names fits a
 * signed 16-bit offset. Behind come C's data, the register files, and the rest of C's code; with option IRFM the files are last,
 * each across the border of two pages that its guest sees.
 *
 * tools/link.py says each ASSERT that a configuration or a board file can break in the words of those files: its table has
 * the texts.
 */
#include "autoconf.h"
#include "board_values.h"
#include "partitions.h"

#ifdef CONFIG_ROM
#define VECTORS  0xFFFF0000
#define CODE     0xFFFF8000
#define DATA     0x00000000
#ifdef CONFIG_ROM_IMAGES
#define IMAGES   BOARD_ROM_BASE
#define IMAGES_END VECTORS
#else
#define IMAGES   BOARD_IMAGES_BASE
#define IMAGES_END BOARD_IMAGES_BASE + BOARD_IMAGES_SIZE
#endif
#else
#define VECTORS  0x00000000
#define CODE     0x00002040
#ifdef BOARD_ERRATUM_51
#define CONSTANTS 0x00001720
#else
#define CONSTANTS 0x00001240 /* and the stack: between the vectors */
#endif
#define CONSTANTS_END 0x00002000
#define DATA     .
#define IMAGES   BOARD_IMAGES_BASE
#define IMAGES_END BOARD_IMAGES_BASE + BOARD_IMAGES_SIZE
#endif

/*
 * The trap road in its own direction, and what is rare last. A conditional branch to another section goes forward then: as writes
 * its hint (bne-) for a target ahead, and where the linker puts the target behind, the same bit says the contrary.
 * tools/imagelint.py finds one that goes back.
 */
#define ROAD(file) *asm/file.o(.text.*)
#define ROADS ROAD(dispatch) ROAD(irfm) ROAD(hypercall) ROAD(emul_spr) ROAD(emul_msr) ROAD(emul_time) ROAD(tlbwe) ROAD(refill) \
    ROAD(miss) ROAD(uart) ROAD(pit) ROAD(enter) ROAD(switch) ROAD(reflect) \
    *(EXCLUDE_FILE(*asm/cold.o) .text.*) ROAD(cold)

OUTPUT_ARCH(powerpc:common)
ENTRY(start)

SECTIONS
{
    vectors = VECTORS;
#define VECTOR(name, offset, class, keep, info, window, manual) \
    .vector_##name VECTORS + offset : { KEEP(*(.vector_##name)) }
#include "vectors.def"
#ifdef BOARD_ERRATUM_51
    .vector_erratum_51 VECTORS + 0x1700 : { KEEP(*(.vector_erratum_51)) }
#endif

#ifdef CONFIG_ROM
    .text CODE : { ROADS *(.text) }
    .rodata : { *(.rodata.spr_table) *(.rodata .rodata.*) . = ALIGN(16); }
#else
    .rodata CONSTANTS : { *(.rodata.spr_table) *(.rodata .rodata.*) . = ALIGN(16); }
    .stack (NOLOAD) : ALIGN(16) { *(.stack) }
    constants_end = .;
    .text CODE : { ROADS }
#endif

    .low DATA (NOLOAD) : ALIGN(4) { data_start = .; *(.low) *(.bss.low) }
#ifdef CONFIG_ROM
    .stack (NOLOAD) : ALIGN(16) { *(.stack) }
#endif
    low_end = .;
    .bss (NOLOAD) : ALIGN(4) { *(.sbss .sbss.*) *(.bss .bss.*) *(COMMON) }
    data_bytes = SIZEOF(.low) + SIZEOF(.bss);
#ifdef CONFIG_IRFM
    data_end = ALIGN(4);
#else
    .vcpu (NOLOAD) : ALIGN(16) { *(.vcpu) . = ALIGN(4); data_end = .; }
#endif
#ifndef CONFIG_ROM
    .text_far : { *(.text) }
#endif
    hypervisor_end = .;
    data_words = (data_end - data_start) / 4;
#ifdef CONFIG_IRFM
    .vcpu REGISTERS_BASE (NOLOAD) : { registers_start = .; *(.vcpu) }
    registers_words = SIZEOF(.vcpu) / 4;
#endif

    .images IMAGES : { KEEP(*(.images)) }
    images_end = .;
#ifdef CONFIG_ROM
    .reset 0xFFFFFFFC : { KEEP(*(.reset)) }
#endif

#ifdef CONFIG_ROM
    text_bytes = SIZEOF(.text) + SIZEOF(.rodata);
#else
    text_bytes = SIZEOF(.text) + SIZEOF(.text_far) + SIZEOF(.rodata);
#endif
    .data : { *(.data .data.* .sdata .sdata.*) }
    /DISCARD/ : { *(.comment .note* .gnu.* .eh_frame* .got*) }
}

ASSERT(SIZEOF(.data) == 0, "initialised data: the hypervisor's data must be zero at start, boot() sets the rest")
#ifndef CONFIG_ROM
ASSERT(constants_end <= CONSTANTS_END, "constants and stack do not fit between the vectors")
#endif
ASSERT(low_end <= 0x8000, "what the assembler names does not fit the lowest 32 KiB")
ASSERT(hypervisor_end <= BOARD_HYPERVISOR_SIZE, "the register files do not fit the hypervisor's memory")
#ifdef CONFIG_IRFM
ASSERT(hypervisor_end <= REGISTERS_BASE, "the hypervisor's code and data do not fit below the register pages")
#endif
ASSERT(CONFIG_STACK_SIZE % 16 == 0, "CONFIG_STACK_SIZE is not a multiple of 16")
ASSERT(images_end <= IMAGES_END, "the guest images do not fit")
#if CONFIG_DATA_BUDGET && !defined(CONFIG_TRACE_SCHED)
ASSERT(data_bytes <= CONFIG_DATA_BUDGET, "the product's data is larger than CONFIG_DATA_BUDGET")
#endif
#if CONFIG_TEXT_BUDGET && !defined(CONFIG_TRACE_SCHED)
ASSERT(text_bytes <= CONFIG_TEXT_BUDGET, "the product's code is larger than CONFIG_TEXT_BUDGET")
#endif
