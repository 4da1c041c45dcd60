/*
 * ethernetlite.h: Xilinx' EthernetLite at BOARD_ETHERNET_BASE, with two buffers each way, which are its own memory; words only.
 *
 * It receives what is for its one address, and broadcasts; there is no mode for all. It does not say how long a frame was: its
 * buffer still has behind it what was there before. So what a frame had is wiped when it has been taken.
 */
#ifndef GUEST_ETHERNETLITE_H
#define GUEST_ETHERNETLITE_H

#ifndef __ASSEMBLER__
#include <stdint.h>

#define ETHERNET_SEND     0x0000u /* the first buffer; the second is ETHERNET_OTHER behind it */
#define ETHERNET_RECEIVE  0x1000u
#define ETHERNET_OTHER    0x0800u
#define ETHERNET_LENGTH   0x07F4u /* of a buffer to send */
#define ETHERNET_GIE      0x07F8u /* of the first: all its interrupts */
#define ETHERNET_CONTROL  0x07FCu /* of each */
#define ETHERNET_BUSY     0x1u    /* to send: until it is out; received: there is a frame, until that is taken */
#define ETHERNET_ADDRESS  0x3u    /* what was sent is the address, and no frame; until it has it */
#define ETHERNET_TELLS    0x8u    /* interrupts, of received frames: of the first; some models look at the second's own */
#define ETHERNET_SHORTEST 60u
#define ETHERNET_NEXT     0x17E0u /* behind what a frame can have: which buffer is the next, over deaths of a driver */

static inline volatile uint32_t *ethernet(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_ETHERNET_BASE + offset);
}

static inline void ethernet_order(void)
{
    __asm__ volatile("eieio" : : : "memory");
}

/* Its address; it may be in the middle of anything. What has come for the life before is still there. */
static inline void board_ethernet_begin(const uint8_t *mac)
{
    uint32_t at;

    while ((*ethernet(ETHERNET_SEND + ETHERNET_CONTROL) & ETHERNET_BUSY) != 0) {
    }
    *ethernet(ETHERNET_SEND) = (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3];
    *ethernet(ETHERNET_SEND + 4) = (uint32_t)mac[4] << 24 | (uint32_t)mac[5] << 16;
    *ethernet(ETHERNET_SEND + ETHERNET_LENGTH) = 6;
    ethernet_order();
    *ethernet(ETHERNET_SEND + ETHERNET_CONTROL) = ETHERNET_ADDRESS;
    while ((*ethernet(ETHERNET_SEND + ETHERNET_CONTROL) & ETHERNET_ADDRESS) != 0) {
    }
    for (at = ETHERNET_RECEIVE; at <= ETHERNET_RECEIVE + ETHERNET_OTHER; at += ETHERNET_OTHER) {
        uint32_t control = *ethernet(at + ETHERNET_CONTROL);

        if ((control & ETHERNET_TELLS) == 0) {
            *ethernet(at + ETHERNET_CONTROL) = (control & ETHERNET_BUSY) | ETHERNET_TELLS;
        }
    }
    *ethernet(ETHERNET_SEND + ETHERNET_GIE) = 0x80000000u;
}

/* A frame goes out, padded. 0: both buffers are still going out. */
static inline int board_ethernet_send(const uint32_t *frame, uint32_t length)
{
    uint32_t at = ETHERNET_SEND, i;

    if ((*ethernet(at + ETHERNET_CONTROL) & ETHERNET_BUSY) != 0) {
        at += ETHERNET_OTHER;
        if ((*ethernet(at + ETHERNET_CONTROL) & ETHERNET_BUSY) != 0) {
            return 0;
        }
    }
    for (i = 0; i < length / 4; i++) {
        ethernet(at)[i] = frame[i];
    }
    if (length % 4 != 0) {
        ethernet(at)[i++] = frame[length / 4] & ~(0xFFFFFFFFu >> 8 * (length % 4));
    }
    for (; 4 * i < ETHERNET_SHORTEST; i++) {
        ethernet(at)[i] = 0;
    }
    *ethernet(at + ETHERNET_LENGTH) = length < ETHERNET_SHORTEST ? ETHERNET_SHORTEST : length;
    ethernet_order();
    *ethernet(at + ETHERNET_CONTROL) = ETHERNET_BUSY;
    return 1;
}

/*
 * A frame that has come, by the length that is found for its first 60 bytes; 0 bytes if that is 0. -1: none. They come in turn
 * into the two buffers, and what comes while both are full is lost. Which is the next is in memory of the controller that no
 * frame reaches: a driver that begins anew would not know it, and take the second first.
 */
static inline int32_t board_ethernet_receive(uint32_t *frame, uint32_t *buffer, uint32_t (*length_of)(const uint8_t *head))
{
    uint32_t at = ETHERNET_RECEIVE + (*ethernet(ETHERNET_NEXT) & ETHERNET_OTHER), length, i;

    if ((*ethernet(at + ETHERNET_CONTROL) & ETHERNET_BUSY) == 0) {
        at ^= ETHERNET_OTHER;
        if ((*ethernet(at + ETHERNET_CONTROL) & ETHERNET_BUSY) == 0) {
            return -1;
        }
    }
    *buffer = at;
    ethernet_order();
    for (i = 0; i < ETHERNET_SHORTEST / 4; i++) {
        frame[i] = ethernet(at)[i];
    }
    length = length_of((const uint8_t *)frame);
    for (; 4 * i < length; i++) {
        frame[i] = ethernet(at)[i];
    }
    return (int32_t)length;
}

/* It is with who gets it: its buffer is wiped and free, and the other one is the next. */
static inline void board_ethernet_received(uint32_t buffer, uint32_t length)
{
    uint32_t i = length < ETHERNET_SHORTEST ? ETHERNET_SHORTEST / 4 : (length + 3) / 4;

    while (i != 0) {
        ethernet(buffer)[--i] = 0;
    }
    *ethernet(ETHERNET_NEXT) = buffer ^ ETHERNET_OTHER;
    ethernet_order();
    *ethernet(buffer + ETHERNET_CONTROL) = ETHERNET_TELLS;
}
#endif

#endif
