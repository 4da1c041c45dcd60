/*
 * vectors.h: which road each vector takes with these options, for the rows of config/vectors.def; and vectors that only an
 * erratum has. The roads are in vectors.S.
 */
#ifndef PROTEUS_VECTORS_H
#define PROTEUS_VECTORS_H

#define ROAD_critical_input  road_unexpected
#if VM_WINDOWS                          /* without, no guest can cause one, or it has no neighbour whom a panic harms */
#define ROAD_machine_check   road_check
#else
#define ROAD_machine_check   road_cold cold_full, machine_check
#endif
#define ROAD_data_storage    road_cold cold_full, data_fault
#define ROAD_inst_storage    road_cold cold_full, fetch_fault
/* Without an interrupt controller to route for and a console, no line of the board is ever enabled. */
#if defined(CONFIG_IRQ) || defined(CONFIG_CONSOLE)
#define ROAD_external        road_cold cold_light, external
#else
#define ROAD_external        road_unexpected
#endif
#define ROAD_alignment       road_reflect 0x0600, STAT_program, 1
#define ROAD_program         road_program
#define ROAD_fp_unavailable  road_reflect 0x0800, STAT_program
#ifdef CONFIG_PARAVIRT
#define ROAD_system_call     road_system_call
#else
#define ROAD_system_call     road_reflect 0x0C00, STAT_sc
#endif
#define ROAD_apu_unavailable road_reflect 0x0F20, STAT_program
#define ROAD_pit             road_pit
#define ROAD_fit             road_unexpected
#define ROAD_watchdog        road_unexpected
#if defined(CONFIG_CONSOLE) || defined(CONFIG_TLB_VIRT)
#define ROAD_dtlb_miss       road_miss data_miss
#else
#define ROAD_dtlb_miss       road_cold cold_full, data_fault
#endif
#ifdef CONFIG_TLB_VIRT
#define ROAD_itlb_miss       road_miss fetch_miss
#else
#define ROAD_itlb_miss       road_cold cold_full, fetch_fault
#endif
#define ROAD_debug           road_unexpected

/* erratum_51: a misaligned lwarx or stwcx. that misses comes to 0x1100 | 0x0600. */
.macro erratum_51
#ifdef BOARD_ERRATUM_51
    vector erratum_51, 0x1700, 0x20, ROAD_dtlb_miss
#endif
.endm

#endif
