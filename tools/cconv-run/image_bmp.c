/* BMP of 8 bits with a palette, of 24 and of 32 bits, not compressed. */
#include "image.h"
#include "say.h"
#include <stdlib.h>

enum { HEADER = 14 + 124, PALETTE = 256 };

static long word(const unsigned char *at)
{
    return (long)(int)((unsigned)at[0] | (unsigned)at[1] << 8 | (unsigned)at[2] << 16 | (unsigned)at[3] << 24);
}

/* The palette's entries, blue green red unused, at the header's end. 0: it is not there. */
static int read_palette(FILE *file, long from, long used, unsigned char palette[PALETTE][4])
{
    const size_t entries = used > 0 && used < PALETTE ? (size_t)used : PALETTE;
    return fseek(file, from, SEEK_SET) == 0 && fread(palette, 4, entries, file) == entries;
}

/* The bytes of a row to pixels: those of a palette, or blue green red (unused). */
static void unpack_row(const unsigned char *row, int bits, int grey, unsigned char palette[PALETTE][4], int width,
                       unsigned char *to)
{
    for (int x = 0; x < width; ++x) {
        const unsigned char *from = bits == 8 ? palette[row[x]] : row + x * (bits / 8);
        if (grey) {
            to[x] = from[0];
        } else {
            for (int c = 0; c < 3; ++c) to[3 * x + c] = from[2 - c];
        }
    }
}

static int is_grey(unsigned char palette[PALETTE][4])
{
    for (int i = 0; i < PALETTE; ++i)
        if (palette[i][0] != palette[i][1] || palette[i][0] != palette[i][2]) return 0;
    return 1;
}

int image_read_bmp(const char *path, FILE *file, image *out)
{
    unsigned char head[HEADER] = {0}, palette[PALETTE][4] = {{0}};
    const size_t got = fread(head, 1, sizeof head, file);
    const long pixels_at = word(head + 10), header = word(head + 14), width = word(head + 18), height = word(head + 22);
    const int bits = head[28] | head[29] << 8;
    const long packing = word(head + 30), red = word(head + 54), green = word(head + 58), blue = word(head + 62);
    if (got < 14 + 40 || header < 40) return say_about(path, "expected a BMP header of at least 40 bytes");
    if (bits != 8 && bits != 24 && bits != 32) return say_about(path, "expected 8, 24 or 32 bits per pixel, found %d", bits);
    const int usual_masks = packing == 3 && bits == 32 && red == 0xff0000 && green == 0xff00 && blue == 0xff;
    if (packing != 0 && !usual_masks) return say_about(path, "compressed BMP files and unusual masks are not supported");
    if (bits == 8 && !read_palette(file, 14 + header, word(head + 46), palette))
        return say_about(path, "ends within its palette");
    if (width < 1 || height == 0 || height < -(1 << 28))
        return say_about(path, "expected a size, found %ld x %ld", width, height);
    const int grey = bits == 8 && is_grey(palette);
    if (!image_room(path, out, width, labs(height), grey ? 1 : 3)) return 0;
    const size_t row_bytes = ((size_t)width * (size_t)(bits / 8) + 3) / 4 * 4;
    unsigned char *row = room(row_bytes, 1);
    int fine = row && (fseek(file, pixels_at, SEEK_SET) == 0 || say_about(path, "its pixels are behind its end"));
    for (int y = 0; fine && y < out->height; ++y) {
        const int line = height > 0 ? out->height - 1 - y : y; /* mostly from the bottom */
        fine = fread(row, 1, row_bytes, file) == row_bytes ||
               say_about(path, "ends early: expected %d rows, found %d", out->height, y);
        if (fine) unpack_row(row, bits, grey, palette, out->width, out->pixels + (size_t)line * out->width * out->channels);
    }
    free(row);
    return fine;
}
