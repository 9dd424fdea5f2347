/* An image as it is read from a file: bytes, row by row from the top, one channel (grey) or three (red, green, blue). */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include <stdio.h>

typedef struct image {
    int width, height, channels;
    unsigned char *pixels;
} image;

/* Reads a file of any of the formats below, told by its first bytes. 0: it could not, and the sentence that says why is written. */
int image_read(const char *path, image *out);
void image_free(image *im);

/* Room for width x height x channels bytes, or 0 and a sentence: sizes of a damaged header end here. */
int image_room(const char *path, image *im, long width, long height, int channels);

/* One format each, from the file's beginning. Transparency is dropped. What is not built in says so. */
int image_read_pnm(const char *path, FILE *file, image *out);
int image_read_bmp(const char *path, FILE *file, image *out);
int image_read_jpeg(const char *path, FILE *file, image *out);
int image_read_png(const char *path, FILE *file, image *out);

#endif
