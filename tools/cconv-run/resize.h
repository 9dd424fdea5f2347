/* A rectangle of an image in another size. */
#ifndef RUN_RESIZE_H
#define RUN_RESIZE_H

#include "image.h"
#include <stdint.h>

/* An axis of the result: its size, and where it lies in the image: result i has its centre at from + (i + 0.5) * step, where the
 * centre of pixel k is at k + 0.5. */
typedef struct axis {
    double from, step;
    int64_t size;
} axis;

/* By bilinear interpolation; smooth 1: where the image shrinks, the mean of all pixels weighed by a triangle of the width of a step
 * to each side, as Pillow resizes. Row by row, with the image's channels, from 0 to 255. NULL: said. Given back by free. */
float *resize(const image *im, const axis *rows, const axis *columns, int smooth);

#endif
