/* From an image, or numbers in files, to what the model reads. */
#include "prepare.h"
#include "resize.h"
#include "say.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Images -------------------------------------------------------------------------------------------------------------- */

/* Rows and columns of the image that make the input: all of them, or a centred rectangle of the input's proportions. */
static void choose(const image *im, double crop, axis *rows, axis *columns)
{
    double height = im->height, width = im->width;
    if (crop > 0) {
        const double a = height / (double)rows->size, b = width / (double)columns->size, unit = crop * (a < b ? a : b);
        height = unit * (double)rows->size;
        width = unit * (double)columns->size;
    }
    rows->from = (im->height - height) / 2;
    rows->step = height / (double)rows->size;
    columns->from = (im->width - width) / 2;
    columns->step = width / (double)columns->size;
}

/* One channel of a pixel, as the model has them: grey of colours by the weights of BT.601, colours of grey all the same. */
static double channel(const float *pixel, int there, int wanted, int channels)
{
    if (there == 1) return pixel[0];
    return channels == 1 ? 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2] : pixel[wanted];
}

/* Writes the input of so many pixels; its layout is nchw or nhwc by the model's axes. whole: as int32. */
static void write_input(const model *m, const float *pixels, int there, int64_t count, const scaling *s, int whole, void *out)
{
    const int channels = m->channels, last = m->channels_axis == 3;
    for (int64_t i = 0; i < count; ++i, pixels += there) {
        for (int c = 0; c < channels; ++c) {
            const double pixel = channel(pixels, there, s->bgr ? channels - 1 - c : c, channels);
            const double value = (pixel * s->scale - s->mean[c]) / s->deviation[c];
            const int64_t at = last ? i * channels + c : c * count + i;
            if (whole) {
                ((int32_t *)out)[at] = (int32_t)lrint(value);
            } else {
                ((float *)out)[at] = (float)value;
            }
        }
    }
}

/* Whether what is taken off, and what it is divided by, are the same for each channel. */
static int is_same(const double mean[3], const double deviation[3])
{
    return mean[0] == mean[1] && mean[0] == mean[2] && deviation[0] == deviation[1] && deviation[0] == deviation[2];
}

int prepare_image(model *m, const options *o, const image *im, void **numbers)
{
    cconv_node node;
    if (!model_input_node(m, 0, &node)) return 0;
    if (m->n_inputs != 1 || m->channels == 0 || node.dtype == CCONV_BOOL)
        return say("the model does not take images (one input of four axes, one or three channels): give its inputs by --raw; "
                   "--describe shows them");
    axis rows = {.size = m->shapes[0][m->rows_axis]}, columns = {.size = m->shapes[0][m->columns_axis]};
    if (rows.size < 0) rows.size = im->height;
    if (columns.size < 0) columns.size = im->width;
    const int whole = node.dtype == CCONV_INT32;
    const scaling how = o->scaled ? o->pixels : options_default_scaling(whole ? 0 : m->channels);
    if (m->channels == 1 && !is_same(how.mean, how.deviation))
        return say("--mean and --std, or the preset, are of three channels, and the model's input has one");
    if (!model_plan(m, o, 1, rows.size, columns.size)) return 0;
    choose(im, o->crop, &rows, &columns);
    free(*numbers);
    *numbers = room((size_t)model_input_count(m, 0, 1), sizeof(float));
    float *pixels = *numbers ? resize(im, &rows, &columns, o->smooth) : NULL;
    if (!pixels) return 0;
    write_input(m, pixels, im->channels, rows.size * columns.size, &how, whole, *numbers);
    free(pixels);
    m->arrays[0] = (cconv_array){*numbers, node.dtype, 1};
    return 1;
}

/* ---- Numbers ------------------------------------------------------------------------------------------------------------- */

/* The whole file, and its length. */
static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        say_about(path, "%s", strerror(errno));
    } else {
        const long length = ftell(file);
        rewind(file);
        bytes = length < 0 ? NULL : room((size_t)length, 1);
        *size = bytes ? fread(bytes, 1, (size_t)length, file) : 0;
        if (length < 0 || (bytes && *size != (size_t)length)) {
            say_about(path, "cannot be read to its end");
            free(bytes);
            bytes = NULL;
        }
    }
    if (file) fclose(file);
    return bytes;
}

/* One file of --raw as input i; *samples follows from the first that the model leaves open. */
static int prepare_file(model *m, int i, const char *path, int64_t *samples, void **numbers)
{
    cconv_node node;
    size_t size = 0;
    if (!model_input_node(m, i, &node)) return 0;
    *numbers = read_file(path, &size);
    if (!*numbers) return 0;
    const size_t width = node.dtype == CCONV_BOOL ? 1 : 4, count = size / width, one = (size_t)model_input_count(m, i, 1);
    const int open = node.rank > 0 && m->shapes[i][0] < 0;
    if (one == 0) return say("the model leaves sizes of its input '%s' open; --size HxW gives those of an image", node.name);
    if (size % width || count == 0 || (open ? count % one : count != one))
        return say_about(path, "expected %s%zu numbers of %zu bytes for the input '%s', found %zu bytes",
                         open ? "a multiple of " : "", one, width, node.name, size);
    if (open && *samples && *samples != (int64_t)(count / one))
        return say_about(path, "expected %lld samples as in the file before, found %zu", (long long)*samples, count / one);
    if (open) *samples = (int64_t)(count / one);
    m->arrays[i] = (cconv_array){*numbers, node.dtype, (int64_t)(count / one)};
    return 1;
}

int prepare_raw(model *m, const options *o, void **numbers)
{
    int64_t samples = 0;
    if (o->n_raw != m->n_inputs)
        return say("the model has %d inputs: expected --raw as often, received %d", m->n_inputs, o->n_raw);
    for (int i = 0; i < m->n_inputs; ++i)
        if (!prepare_file(m, i, o->raw[i], &samples, &numbers[i])) return 0;
    return model_plan(m, o, samples ? samples : 1, 0, 0);
}

int prepare_random(model *m, const options *o, void **numbers)
{
    uint64_t state = 42;
    if (!model_plan(m, o, 1, 0, 0)) return 0;
    for (int i = 0; i < m->n_inputs; ++i) {
        cconv_node node;
        const int64_t count = model_input_count(m, i, 1);
        float *to = room((size_t)count, sizeof *to);
        numbers[i] = to;
        if (!to || !model_input_node(m, i, &node)) return 0;
        for (int64_t k = 0; k < count; ++k) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            to[k] = (float)(state >> 40) / (float)(1 << 24);
        }
        if (node.dtype != CCONV_FLOAT32) memset(to, 0, (size_t)count * sizeof *to); /* 0 is a class, a position and a bool */
        m->arrays[i] = (cconv_array){to, node.dtype, 1};
    }
    return 1;
}
