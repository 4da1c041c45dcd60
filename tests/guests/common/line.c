/*
 * line.c: text of a line. A line that is too long is cut, never overrun.
 */
#include "common/line.h"

static void line_char(struct line *line, char c)
{
    if (line->length < LINE_MAX - 1) {
        line->text[line->length++] = c;
    }
}

void line_begin(struct line *line)
{
    line->length = 0;
}

void line_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        line_char(line, *text++);
    }
}

static void line_label(struct line *line, const char *label)
{
    line_char(line, ' ');
    line_text(line, label);
    line_char(line, '=');
}

void line_decimal(struct line *line, const char *label, uint32_t value)
{
    char digits[10];
    uint32_t count = 0;

    line_label(line, label);
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count != 0) {
        line_char(line, digits[--count]);
    }
}

void line_hex(struct line *line, const char *label, uint32_t value)
{
    line_label(line, label);
    for (int shift = 28; shift >= 0; shift -= 4) {
        line_char(line, "0123456789ABCDEF"[(value >> shift) & 15]);
    }
}

void line_print(struct line *line)
{
    line->text[line->length] = '\n'; // line_char() keeps the last place free
    console_write(line->text, line->length + 1);
}
