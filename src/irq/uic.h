/*
 * uic.h: the universal interrupt controller of the PPC405EP, reached by mfdcr and mtdcr (PPC405EP manual, "Universal Interrupt
 * Controller"): the board's, and the guest's (option UIC; irq.h).
 */
#ifndef PROTEUS_UIC_H
#define PROTEUS_UIC_H

/* Registers, as offsets from the controller's first DCR. */
#define UIC_SR        0
#define UIC_SRS       1
#define UIC_ER        2
#define UIC_CR        3
#define UIC_PR        4
#define UIC_TR        5
#define UIC_MSR       6
#define UIC_VR        7
#define UIC_VCR       8
#define UIC_REGISTERS 9

#define UIC_BIT(line) (0x80000000U >> (line))

#endif
