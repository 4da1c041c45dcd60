/*
 * no_ethernet.h: a board that has no network controller, or none that a guest here knows: what goes out is gone, nothing comes.
 */
#ifndef GUEST_NO_ETHERNET_H
#define GUEST_NO_ETHERNET_H

// A line that nothing rings
#define BOARD_ETHERNET_LINE 31

#ifndef __ASSEMBLER__
#include <stdint.h>

static inline void board_ethernet_begin(const uint8_t *mac)
{
    (void)mac;
}

static inline int board_ethernet_send(const uint32_t *frame, uint32_t length)
{
    (void)frame;
    (void)length;
    return 1;
}

static inline int32_t board_ethernet_receive(uint32_t *frame, uint32_t *buffer, uint32_t (*length_of)(const uint8_t *head))
{
    (void)frame;
    (void)buffer;
    (void)length_of;
    return -1;
}

static inline void board_ethernet_received(uint32_t buffer, uint32_t length)
{
    (void)buffer;
    (void)length;
}
#endif

#endif
