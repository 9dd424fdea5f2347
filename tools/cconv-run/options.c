/* Reading the command line. */
#include "options.h"
#include "say.h"
#include "cconv.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] = "usage: cconv-run MODEL.onnx [IMAGE...] [options]\n"
                           "\n"
                           "Runs an ONNX model on the CPU, on images (PPM, PGM, BMP"
#ifdef HAVE_JPEG
                           ", JPEG"
#endif
#ifdef HAVE_PNG
                           ", PNG"
#endif
                           ") or numbers, and prints the\n"
                           "classes it finds, or what its outputs hold.\n"
                           "\n"
                           "  cconv-run resnet50.onnx cat.ppm --labels imagenet_classes.txt --preset torch\n"
                           "  cconv-run model.onnx --describe --bench 100\n"
                           "\n"
                           "What is printed\n"
                           "  --labels FILE    names of the classes, one a line, in the order of the output\n"
                           "  --top K          that many classes (5)\n"
                           "  --softmax WHEN   auto: of outputs that are no distribution yet (the default); always; never\n"
                           "  --describe       the model's inputs, outputs, parameters and graph\n"
                           "  --bench N        the latency of N runs after some to warm up; without an image, on random\n"
                           "                   numbers. Ctrl-C ends it early\n"
                           "  --threads T      threads (by default one for each processor this process may use)\n"
                           "  --version, --help\n"
                           "\n"
                           "How images become numbers: (pixel * scale - mean) / std, of pixels from 0 to 255\n"
                           "  --preset NAME    imagenet  scale 1/255, mean 0.485,0.456,0.406, std 0.229,0.224,0.225: the\n"
                           "                             default of inputs with three channels\n"
                           "                   torch     the same and --crop center:0.875, as torchvision's models are tested\n"
                           "                   keras-tf  -1 to 1: scale 1/127.5, mean 1\n"
                           "                   caffe     --bgr, mean 103.939,116.779,123.68\n"
                           "                   unit      0 to 1: scale 1/255: the default of inputs with one channel\n"
                           "                   raw       0 to 255: the default of inputs of whole numbers\n"
                           "  --scale X        a number or a fraction, such as 1/255. This and the next three change the\n"
                           "                   preset given before them, raw if none was\n"
                           "  --mean X[,Y,Z]   for each channel, in the order that the model reads\n"
                           "  --std X[,Y,Z]\n"
                           "  --bgr            blue first (without it red is first)\n"
                           "  --size HxW       height and width of the input, where the model leaves them open or they shall\n"
                           "                   be others; without it the model's, where it leaves them open the image's\n"
                           "  --crop WHAT      none: the image is stretched (the default); center: its largest part of the\n"
                           "                   input's proportions; center:X: X times that\n"
                           "  --no-antialias   shrink by bilinear interpolation between four pixels (centres at halves);\n"
                           "                   without it all pixels count, as Pillow's and torchvision's bilinear has it\n"
                           "  --layout ORDER   nchw or nhwc: the axes of the input (by default as its shape says)\n"
                           "\n"
                           "Numbers instead of images\n"
                           "  --raw FILE       float32 (int32 for an input of whole numbers) in this machine's byte order, of\n"
                           "                   the input's shape, any number of samples where the model leaves the batch\n"
                           "                   open; once for each input of the model, in its order\n"
                           "\n"
                           "Exit status: 0; 1 for what failed, 2 for arguments that are wrong, with a sentence on standard\n"
                           "error; 130 after Ctrl-C.\n";

typedef struct preset {
    const char *name;
    scaling pixels;
    double crop;
} preset;

#define PLAIN                                                                                                                  \
    {                                                                                                                          \
        1, 1, 1                                                                                                                \
    }
#define IMAGENET                                                                                                               \
    {                                                                                                                          \
        1 / 255., {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}, 0                                                              \
    }
static const preset presets[] = {
    {"imagenet", IMAGENET, 0},
    {"torch", IMAGENET, 0.875},
    {"keras-tf", {1 / 127.5, {1, 1, 1}, PLAIN, 0}, 0},
    {"caffe", {1, {103.939, 116.779, 123.68}, PLAIN, 1}, 0},
    {"unit", {1 / 255., {0}, PLAIN, 0}, 0},
    {"raw", {1, {0}, PLAIN, 0}, 0},
};
enum { IMAGENET_PRESET = 0, UNIT = 4, RAW = 5, PRESETS = sizeof presets / sizeof *presets };

scaling options_default_scaling(int channels)
{
    return presets[channels == 3 ? IMAGENET_PRESET : channels == 1 ? UNIT : RAW].pixels;
}

/* ---- Values -------------------------------------------------------------------------------------------------------------- */

static int wrong(const char *name, const char *expected, const char *value)
{
    return say("%s: expected %s, received '%s'", name, expected, value);
}

static int read_count(const char *name, const char *value, int least, int most, int *out)
{
    char *end, expected[64];
    errno = 0;
    const long number = strtol(value, &end, 10);
    snprintf(expected, sizeof expected, "a whole number from %d to %d", least, most);
    if (end == value || *end || errno || number < least || number > most) return wrong(name, expected, value);
    *out = (int)number;
    return 1;
}

/* A number or a fraction; *end is behind it. */
static int read_number(const char *at, char **end, double *out)
{
    *out = strtod(at, end);
    if (*end == at) return 0;
    if (**end == '/') {
        const char *below = *end + 1;
        *out /= strtod(below, end);
        if (*end == below) return 0;
    }
    return isfinite(*out);
}

/* One number for all channels, or three. */
static int read_channels(const char *name, const char *value, double out[3])
{
    char *at = (char *)(uintptr_t)value;
    int count = 0, fine = 1;
    while (fine && count < 3) {
        fine = read_number(at, &at, &out[count++]) && (*at == 0 || *at == ',');
        if (*at == 0) break;
        ++at;
    }
    if (!fine || *at || count == 2) return wrong(name, "a number, or three with commas between them", value);
    if (count == 1) out[1] = out[2] = out[0];
    return 1;
}

/* The number, from 0, of a word among those given, which end with NULL; -1, and said. */
static int read_word(const char *name, const char *value, const char *const *words, const char *expected)
{
    for (int i = 0; words[i]; ++i)
        if (strcmp(value, words[i]) == 0) return i;
    wrong(name, expected, value);
    return -1;
}

/* ---- Options, each by a function ----------------------------------------------------------------------------------------- */

static int read_labels(const char *name, const char *value, options *o)
{
    (void)name;
    o->labels = value;
    return 1;
}

static int read_raw(const char *name, const char *value, options *o)
{
    (void)name;
    o->raw[o->n_raw++] = value;
    return 1;
}

static int read_top(const char *name, const char *value, options *o)
{
    return read_count(name, value, 1, 1000000, &o->top);
}

static int read_bench(const char *name, const char *value, options *o)
{
    return read_count(name, value, 1, 10000000, &o->bench);
}

static int read_threads(const char *name, const char *value, options *o)
{
    return read_count(name, value, 1, 1024, &o->threads);
}

static int read_softmax(const char *name, const char *value, options *o)
{
    const int word = read_word(name, value, (const char *const[]){"auto", "always", "never", NULL}, "auto, always or never");
    if (word >= 0) o->softmax = (enum softmax)word;
    return word >= 0;
}

static int read_layout(const char *name, const char *value, options *o)
{
    const int word = read_word(name, value, (const char *const[]){"nchw", "nhwc", NULL}, "nchw or nhwc");
    if (word >= 0) o->layout = word == 0 ? LAYOUT_NCHW : LAYOUT_NHWC;
    return word >= 0;
}

static int read_size(const char *name, const char *value, options *o)
{
    long long height = 0, width = 0;
    char rest;
    if (sscanf(value, "%9lldx%9lld%c", &height, &width, &rest) != 2 || height < 1 || width < 1)
        return wrong(name, "HEIGHTxWIDTH, such as 224x224", value);
    o->height = height;
    o->width = width;
    return 1;
}

static int read_crop(const char *name, const char *value, options *o)
{
    char *end;
    if (strcmp(value, "none") == 0) {
        o->crop = 0;
    } else if (strcmp(value, "center") == 0) {
        o->crop = 1;
    } else if (strncmp(value, "center:", 7) != 0 || !read_number(value + 7, &end, &o->crop) || *end || o->crop <= 0 ||
               o->crop > 1) {
        return wrong(name, "none, center, or center:X with X up to 1", value);
    }
    return 1;
}

/* Parts of a scaling without a preset start from that which changes nothing. */
static void begin_scaling(options *o)
{
    if (!o->scaled) o->pixels = presets[RAW].pixels;
    o->scaled = 1;
}

static int read_preset(const char *name, const char *value, options *o)
{
    for (int i = 0; i < PRESETS; ++i)
        if (strcmp(value, presets[i].name) == 0) {
            o->pixels = presets[i].pixels;
            o->scaled = 1;
            if (presets[i].crop > 0) o->crop = presets[i].crop;
            return 1;
        }
    return wrong(name, "imagenet, torch, keras-tf, caffe, unit or raw", value);
}

static int read_scale(const char *name, const char *value, options *o)
{
    char *end;
    begin_scaling(o);
    return (read_number(value, &end, &o->pixels.scale) && *end == 0) || wrong(name, "a number or a fraction", value);
}

static int read_mean(const char *name, const char *value, options *o)
{
    begin_scaling(o);
    return read_channels(name, value, o->pixels.mean);
}

static int read_deviation(const char *name, const char *value, options *o)
{
    begin_scaling(o);
    if (!read_channels(name, value, o->pixels.deviation)) return 0;
    for (int c = 0; c < 3; ++c)
        if (o->pixels.deviation[c] <= 0) return wrong(name, "numbers above 0", value);
    return 1;
}

static const struct {
    const char *name;
    int (*read)(const char *name, const char *value, options *o);
} valued[] = {
    {"--labels", read_labels}, {"--raw", read_raw},         {"--top", read_top},         {"--bench", read_bench},
    {"--size", read_size},     {"--threads", read_threads}, {"--softmax", read_softmax}, {"--layout", read_layout},
    {"--crop", read_crop},     {"--preset", read_preset},   {"--scale", read_scale},     {"--mean", read_mean},
    {"--std", read_deviation},
};
enum { VALUED = sizeof valued / sizeof *valued };

/* The option argv[*i], with its value behind "=" or in the next argument, which *i then is. */
static int read_option(int argc, char **argv, int *i, options *o)
{
    const char *text = argv[*i], *equals = strchr(text, '=');
    const size_t length = equals ? (size_t)(equals - text) : strlen(text);
    if (strcmp(text, "--describe") == 0) return o->describe = 1;
    if (strcmp(text, "--no-antialias") == 0) {
        o->smooth = 0;
        return 1;
    }
    if (strcmp(text, "--bgr") == 0) {
        begin_scaling(o);
        return o->pixels.bgr = 1;
    }
    for (int k = 0; k < VALUED; ++k)
        if (strlen(valued[k].name) == length && strncmp(valued[k].name, text, length) == 0) {
            if (!equals && *i + 1 == argc) return say("%s: expected a value", text);
            return valued[k].read(valued[k].name, equals ? equals + 1 : argv[++*i], o);
        }
    return say("there is no option '%s'; cconv-run --help lists them", text);
}

static int read_all(int argc, char **argv, options *o)
{
    int only_files = 0;
    for (int i = 1; i < argc; ++i) {
        if (!only_files && strcmp(argv[i], "--") == 0) {
            only_files = 1;
        } else if (!only_files && argv[i][0] == '-' && argv[i][1]) {
            if (!read_option(argc, argv, &i, o)) return 0;
        } else if (!o->model) {
            o->model = argv[i];
        } else {
            o->images[o->n_images++] = argv[i];
        }
    }
    if (!o->model) return say("expected a model; cconv-run --help tells more");
    if (o->n_images && o->n_raw) return say("expected images or --raw, received both");
    if (!o->n_images && (o->scaled || o->crop > 0 || !o->smooth || o->layout != LAYOUT_BY_SHAPE))
        return say(
            "--preset, --scale, --mean, --std, --bgr, --crop, --no-antialias and --layout are about images: received none");
    if (!o->n_images && !o->n_raw && (o->labels || o->top || o->softmax != SOFTMAX_WHERE_NEEDED))
        return say("--labels, --top and --softmax are about what a run gives: received neither an image nor --raw");
    if (!o->top) o->top = 5;
    if (!o->n_images && !o->n_raw && !o->describe && !o->bench) return say("expected an image, --raw, --describe or --bench");
    return 1;
}

int options_read(int argc, char **argv, options *out)
{
    *out = (options){.smooth = 1};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; ++i) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return fputs(help, stdout), -1;
        if (strcmp(argv[i], "--version") == 0) return printf("cconv-run %s (%s)\n", cconv_version(), cconv_isa()), -1;
    }
    out->images = room((size_t)argc, sizeof *out->images);
    out->raw = room((size_t)argc, sizeof *out->raw);
    if (!out->images || !out->raw) return FAILED;
    return read_all(argc, argv, out) ? DONE : WRONG_USE;
}

void options_free(options *o)
{
    free(o->images);
    free(o->raw);
}
