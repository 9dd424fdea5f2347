/* Opening an image: which format it has, and room for its pixels. */
#include "image.h"
#include "say.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIXELS = 1 << 28 };

int image_room(const char *path, image *im, long width, long height, int channels)
{
    if (width < 1 || height < 1 || width > MOST_PIXELS / height)
        return say_about(path, "expected an image of 1 to %d pixels, received %ld x %ld", MOST_PIXELS, width, height);
    im->width = (int)width;
    im->height = (int)height;
    im->channels = channels;
    im->pixels = room((size_t)width * (size_t)height, (size_t)channels);
    return im->pixels != NULL;
}

void image_free(image *im)
{
    free(im->pixels);
    im->pixels = NULL;
}

int image_read(const char *path, image *out)
{
    unsigned char first[8] = {0};
    int fine;
    *out = (image){0};
    FILE *file = fopen(path, "rb");
    if (!file) return say_about(path, "%s", strerror(errno));
    const size_t got = fread(first, 1, sizeof first, file);
    if (ferror(file)) {
        fine = say_about(path, "%s", strerror(errno));
    } else {
        rewind(file);
        if (got > 2 && first[0] == 'P' && first[1] && strchr("2356", first[1])) {
            fine = image_read_pnm(path, file, out);
        } else if (got > 2 && memcmp(first, "BM", 2) == 0) {
            fine = image_read_bmp(path, file, out);
        } else if (got > 2 && memcmp(first, "\xff\xd8\xff", 3) == 0) {
            fine = image_read_jpeg(path, file, out);
        } else if (got == 8 && memcmp(first, "\x89PNG\r\n\x1a\n", 8) == 0) {
            fine = image_read_png(path, file, out);
        } else {
            fine = say_about(path, "expected a PPM, PGM, BMP, JPEG or PNG image; its first bytes are of none of these");
        }
    }
    fclose(file);
    if (!fine) image_free(out);
    return fine;
}
