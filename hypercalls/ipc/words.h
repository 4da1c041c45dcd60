/*
 * words.h: what the texts that configure servers are made of (diskserver.h, netswitch.h): lines with words and numbers; behind
 * a # nothing counts.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* Behind the blanks at `at`. */
static inline const char *skip(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* Is nothing left of the line? */
static inline bool is_end(char c)
{
    return c == 0 || c == '\n' || c == '#';
}

/* Of any base up to 16; 16: it is none. */
static inline uint32_t digit(char c)
{
    uint32_t value = (uint32_t)c - '0', letter = ((uint32_t)c | 0x20) - 'a';

    return value < 10 ? value : letter < 6 ? letter + 10 : 16;
}
#endif
