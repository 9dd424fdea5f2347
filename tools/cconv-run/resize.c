/* Resizing: a weighed sum along the columns, then one along the rows. */
#include "resize.h"
#include "say.h"
#include <math.h>
#include <stdlib.h>

/* What one result of an axis is made of: weights of the pixels from `first` on. */
typedef struct part {
    int first, count;
} part;

typedef struct weights {
    part *parts;   /* for each result */
    float *values; /* `most` for each result */
    int most;
} weights;

static void free_weights(weights *w)
{
    free(w->parts);
    free(w->values);
}

/* A triangle about each centre; pixels outside of the image take no part. */
static int make_weights(const axis *a, int pixels, int smooth, weights *w)
{
    const double reach = smooth && a->step > 1 ? a->step : 1;
    const double widest = 2 * ceil(reach) + 1;
    *w = (weights){.most = widest < pixels ? (int)widest : pixels};
    w->parts = room((size_t)a->size, sizeof *w->parts);
    w->values = room((size_t)a->size, (size_t)w->most * sizeof *w->values);
    if (!w->parts || !w->values) return 0;
    for (int64_t i = 0; i < a->size; ++i) {
        const double centre = a->from + ((double)i + 0.5) * a->step - 0.5;
        float *values = w->values + i * w->most;
        double sum = 0;
        int first = (int)floor(centre - reach) + 1;
        first = first < 0 ? 0 : first < pixels ? first : pixels - 1;
        part *p = &w->parts[i];
        *p = (part){.first = first};
        for (int k = first; k < pixels && p->count < w->most && k < centre + reach; ++k) {
            const double weight = 1 - fabs(k - centre) / reach;
            values[p->count++] = (float)weight;
            sum += weight;
        }
        for (int k = 0; k < p->count; ++k) values[k] = (float)(values[k] / sum);
    }
    return 1;
}

/* All rows of the image, each of its channels summed along the row. */
static void sum_columns(const image *im, const axis *columns, const weights *w, float *to)
{
    const int channels = im->channels;
    for (int y = 0; y < im->height; ++y) {
        const unsigned char *row = im->pixels + (size_t)y * (size_t)im->width * (size_t)channels;
        for (int64_t j = 0; j < columns->size; ++j) {
            const part *p = &w->parts[j];
            const float *values = w->values + j * w->most;
            for (int c = 0; c < channels; ++c) {
                float sum = 0;
                for (int k = 0; k < p->count; ++k) sum += values[k] * (float)row[(p->first + k) * channels + c];
                *to++ = sum;
            }
        }
    }
}

static void sum_rows(const float *from, int64_t row, const axis *rows, const weights *w, float *to)
{
    for (int64_t i = 0; i < rows->size; ++i, to += row) {
        const part *p = &w->parts[i];
        for (int64_t x = 0; x < row; ++x) to[x] = 0;
        for (int k = 0; k < p->count; ++k) {
            const float weight = w->values[i * w->most + k], *source = from + (p->first + k) * row;
            for (int64_t x = 0; x < row; ++x) to[x] += weight * source[x];
        }
    }
}

float *resize(const image *im, const axis *rows, const axis *columns, int smooth)
{
    weights across = {0}, down = {0};
    const int64_t row = columns->size * im->channels;
    float *between = NULL, *out = NULL;
    if (make_weights(columns, im->width, smooth, &across) && make_weights(rows, im->height, smooth, &down)) {
        between = room((size_t)im->height, (size_t)row * sizeof *between);
        out = between ? room((size_t)rows->size, (size_t)row * sizeof *out) : NULL;
    }
    if (out) {
        sum_columns(im, columns, &across, between);
        sum_rows(between, row, rows, &down, out);
    }
    free(between);
    free_weights(&across);
    free_weights(&down);
    return out;
}
