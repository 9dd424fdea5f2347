/* PPM and PGM: P2 and P5 are grey, P3 and P6 have colours; P2 and P3 are written in digits. Values of two bytes keep their upper
 * one. */
#include "image.h"
#include "say.h"
#include <ctype.h>

/* The next number, behind white space and comments; -1: there is none, or it is too large. */
static long next_number(FILE *file)
{
    int c = getc(file);
    long value = 0;
    while (isspace(c) || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF) c = getc(file);
        c = getc(file);
    }
    if (!isdigit(c)) return -1;
    for (; isdigit(c); c = getc(file)) {
        value = value * 10 + (c - '0');
        if (value > 1 << 28) return -1;
    }
    return value; /* with the one white space behind it */
}

int image_read_pnm(const char *path, FILE *file, image *out)
{
    getc(file);
    const int kind = getc(file), digits = kind < '4';
    const long width = next_number(file), height = next_number(file), most = next_number(file);
    if (width < 0 || height < 0 || most < 1 || most > 65535)
        return say_about(path, "expected width, height and a largest value of 1 to 65535 in the header");
    if (!image_room(path, out, width, height, kind == '3' || kind == '6' ? 3 : 1)) return 0;
    const size_t count = (size_t)width * (size_t)height * (size_t)out->channels;
    for (size_t i = 0; i < count; ++i) {
        long value = digits ? next_number(file) : getc(file);
        if (!digits && most > 255 && value >= 0) {
            const int low = getc(file);
            value = low < 0 ? -1 : value << 8 | low;
        }
        if (value < 0) return say_about(path, "ends early: expected %zu values, found %zu", count, i);
        if (value > most) return say_about(path, "expected values up to %ld, found %ld", most, value);
        out->pixels[i] = (unsigned char)((value * 255 + most / 2) / most);
    }
    return 1;
}
