/* The command line. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdint.h>

/* How pixels become numbers: (pixel * scale - mean) / deviation, for each channel in the order that the model reads. */
typedef struct scaling {
    double scale, mean[3], deviation[3];
    int bgr; /* 1: blue first */
} scaling;

enum layout { LAYOUT_BY_SHAPE, LAYOUT_NCHW, LAYOUT_NHWC };
enum softmax { SOFTMAX_WHERE_NEEDED, SOFTMAX_ALWAYS, SOFTMAX_NEVER };

typedef struct options {
    const char *model, *labels;
    const char **images, **raw; /* into argv */
    int n_images, n_raw;
    int top, bench, threads, describe;
    scaling pixels;
    int scaled; /* 1: a preset or a part of one was given; 0: it follows from the model's channels */
    enum layout layout;
    enum softmax softmax;
    int64_t height, width; /* --size; 0: the model's, or the image's */
    int smooth;            /* 1: shrinking looks at all pixels */
    double crop;           /* part of the largest centred rectangle of the input's proportions; 0: the image is stretched */
} options;

/* DONE: go on. -1: --help or --version was answered. WRONG_USE or FAILED: said. */
int options_read(int argc, char **argv, options *out);
void options_free(options *o);

/* The scaling of models with so many channels where none was asked for; 0 channels: of whole numbers. */
scaling options_default_scaling(int channels);

#endif
