/*
 * line.h: one line of text, built in memory and printed at once.
 *
 * The guests print few and short lines: each character costs two device accesses, which a hypervisor may
 * have to emulate.
 */
#ifndef GUEST_LINE_H
#define GUEST_LINE_H

#include <stdint.h>

#define LINE_MAX 96

struct line {
    uint32_t length;
    char text[LINE_MAX];
};

void line_begin(struct line *line);
void line_text(struct line *line, const char *text);
void line_decimal(struct line *line, const char *label, uint32_t value); // " label=123"
void line_hex(struct line *line, const char *label, uint32_t value);     // " label=0000007B"

void console_write(const char *text, uint32_t length); // kernel, or a guest without one
void line_print(struct line *line);                    // the same, and the end of the line

#endif
