/* How libFuzzer alters models: by their messages, so that lengths stay right and what is altered is read. One field of one message,
 * found by going down at random, gets another number, name or content, goes away, or comes twice. Others are altered as bytes. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum message { LEAF, MODEL, OPSET, GRAPH, NODE, ATTRIBUTE, TENSOR, INFO, TYPE, TENSOR_TYPE, SHAPE, DIM };
enum { MOST_FIELDS = 256, ROOM = 1 << 17 };

static const struct {
    enum message in;
    unsigned number;
    enum message is;
} inner[] = {{MODEL, 7, GRAPH},      {MODEL, 8, OPSET},       {GRAPH, 1, NODE},       {GRAPH, 5, TENSOR},    {GRAPH, 11, INFO},
             {GRAPH, 12, INFO},      {NODE, 5, ATTRIBUTE},    {ATTRIBUTE, 5, TENSOR}, {ATTRIBUTE, 6, GRAPH}, {INFO, 2, TYPE},
             {TYPE, 1, TENSOR_TYPE}, {TENSOR_TYPE, 2, SHAPE}, {SHAPE, 1, DIM}};

static const char *const operators[] = {
#define ONNX_OPERATOR(name)     #name,
#define ONNX_RUN_OPERATOR(name) #name,
#include "onnx/operators.def"
};

static const char *const names[] = {"axis",
                                    "axes",
                                    "kernel_shape",
                                    "strides",
                                    "pads",
                                    "dilations",
                                    "group",
                                    "auto_pad",
                                    "ceil_mode",
                                    "output_padding",
                                    "output_shape",
                                    "keepdims",
                                    "to",
                                    "value",
                                    "value_int",
                                    "value_ints",
                                    "value_floats",
                                    "perm",
                                    "mode",
                                    "alpha",
                                    "beta",
                                    "epsilon",
                                    "momentum",
                                    "training_mode",
                                    "k",
                                    "upper",
                                    "largest",
                                    "sorted",
                                    "blocksize",
                                    "equation",
                                    "reduction",
                                    "batch_dims",
                                    "num_outputs",
                                    "split",
                                    "allowzero",
                                    "count_include_pad",
                                    "storage_order",
                                    "p",
                                    "size",
                                    "transA",
                                    "transB",
                                    "direction",
                                    "fmod",
                                    "num_groups",
                                    "coordinate_transformation_mode",
                                    "nearest_mode",
                                    "cubic_coeff_a",
                                    "antialias",
                                    "exclude_outside",
                                    "keep_aspect_ratio_policy",
                                    "scales",
                                    "sampling_ratio",
                                    "output_height",
                                    "spatial_scale",
                                    "exclusive",
                                    "reverse",
                                    "noop_with_empty_axes",
                                    "block_size",
                                    "select_last_index",
                                    "padding_mode",
                                    "align_corners",
                                    "then_branch"};

typedef struct field {
    size_t begin, content, end; /* content: behind the tag, and behind the length if there is one */
    unsigned number, kind;
} field;

static uint64_t state;

static unsigned below(size_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((state >> 33) % n);
}

static size_t varint(const uint8_t *data, size_t at, size_t size, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; at < size && shift < 64; shift += 7) {
        *value |= (uint64_t)(data[at] & 127) << shift;
        if (!(data[at++] & 128)) return at;
    }
    return 0;
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
    size_t n = 0;
    for (; value > 127; value >>= 7) to[n++] = (uint8_t)(value | 128);
    to[n++] = (uint8_t)value;
    return n;
}

static int parse(const uint8_t *data, size_t size, field *fields)
{
    int n = 0;
    for (size_t at = 0; at < size && n < MOST_FIELDS; ++n) {
        uint64_t tag, value;
        field *f = &fields[n];
        f->begin = at;
        if (!(at = varint(data, at, size, &tag))) return 0;
        f->number = (unsigned)(tag >> 3);
        f->kind = tag & 7;
        f->content = at;
        if (f->kind == 0) at = varint(data, at, size, &value);
        if (f->kind == 1) at += 8;
        if (f->kind == 5) at += 4;
        if (f->kind == 2) {
            if (!(f->content = varint(data, at, size, &value)) || value > size - f->content) return 0;
            at = f->content + (size_t)value;
        }
        if (!at || at > size || f->kind == 3 || f->kind == 4 || f->kind > 5) return 0;
        f->end = at;
    }
    return n;
}

static enum message inner_of(enum message kind, unsigned number)
{
    for (size_t i = 0; i < sizeof inner / sizeof *inner; ++i)
        if (inner[i].in == kind && inner[i].number == number) return inner[i].is;
    return LEAF;
}

static uint64_t some_number(uint64_t old)
{
    static const int64_t odd[] = {-1,      INT32_MAX, INT32_MIN,        INT64_MAX, INT64_MIN,
                                  1 << 16, 1 << 24,   (int64_t)1 << 40, 255,       4096};
    switch (below(6)) {
    case 0: return old + 1;
    case 1: return old - 1;
    case 2: return (uint64_t)odd[below(sizeof odd / sizeof *odd)];
    case 3: return (uint64_t) - (int64_t)below(9);
    default: return below(9);
    }
}

/* Another content of a leaf of bytes. */
static size_t other_bytes(enum message kind, unsigned number, const uint8_t *data, const field *all, int n, const field *f,
                          uint8_t *to)
{
    const char *word = NULL;
    const size_t size = f->end - f->content;
    if (kind == NODE && number == 4) word = operators[below(sizeof operators / sizeof *operators)];
    if (kind == ATTRIBUTE && number == 1 && below(2)) word = names[below(sizeof names / sizeof *names)];
    if (word) {
        memcpy(to, word, strlen(word));
        return strlen(word);
    }
    const field *other = &all[below((size_t)n)];
    if (below(2) && other->kind == 2 && (kind == NODE || other->number == number)) {
        memcpy(to, data + other->content, other->end - other->content);
        return other->end - other->content;
    }
    memcpy(to, data + f->content, size);
    return LLVMFuzzerMutate(to, size, size + 16 < ROOM ? size + 16 : size);
}

/* The message with one field altered; 0: it is none, or has no room. */
static size_t alter(enum message kind, const uint8_t *data, size_t size, uint8_t *to)
{
    static const float odd[] = {0, 1, -1, 0.5f, 1e30f, -1e30f, 1e-30f, INFINITY, NAN};
    field fields[MOST_FIELDS];
    const int n = parse(data, size, fields);
    if (!n || size > ROOM / 2) return 0;
    const field *f = &fields[below((size_t)n)];
    const enum message child = f->kind == 2 ? inner_of(kind, f->number) : LEAF;
    const unsigned what = below(20);
    size_t at = f->begin;
    memcpy(to, data, at);
    if (what == 0) {                                /* goes away */
    } else if (what == 1 || (what == 2 && n > 1)) { /* comes twice, or another in its place */
        const field *more = what == 1 ? f : &fields[below((size_t)n)];
        for (int twice = 0; twice < 2; ++twice, more = f) {
            memcpy(to + at, data + more->begin, more->end - more->begin);
            at += more->end - more->begin;
            if (at > ROOM / 2) return 0;
        }
    } else if (f->kind == 2) {
        uint8_t *content = malloc(ROOM);
        size_t length = child ? alter(child, data + f->content, f->end - f->content, content) : 0;
        if (!length) length = other_bytes(kind, f->number, data, fields, n, f, content);
        at += put_varint(to + at, (uint64_t)f->number << 3 | 2);
        at += put_varint(to + at, length);
        if (at + length > ROOM / 2) length = 0, at = 0;
        memcpy(to + at, content, length);
        free(content);
        at += length;
        if (!at) return 0;
    } else {
        uint64_t value = 0;
        memcpy(to + at, data + f->begin, f->content - f->begin);
        at += f->content - f->begin;
        if (f->kind == 0) {
            varint(data, f->content, size, &value);
            at += put_varint(to + at, some_number(value));
        } else {
            memcpy(to + at, data + f->content, f->end - f->content);
            if (below(2) || f->kind == 1)
                LLVMFuzzerMutate(to + at, f->end - f->content, f->end - f->content);
            else
                memcpy(to + at, &odd[below(sizeof odd / sizeof *odd)], 4);
            at += f->end - f->content;
        }
    }
    memcpy(to + at, data + f->end, size - f->end);
    return at + size - f->end;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    state = seed;
    below(1);
    uint8_t *to = malloc(2 * ROOM);
    size_t length = size && data[0] != 'A' && below(8) ? size : 0;
    uint8_t *from = malloc(2 * ROOM);
    if (length && length <= ROOM / 2) {
        memcpy(from, data, size);
        for (unsigned times = 1 + below(4); times && length; --times) {
            length = alter(MODEL, from, length, to);
            if (length) memcpy(from, to, length);
        }
    } else
        length = 0;
    if (length && length <= max_size)
        memcpy(data, to, length);
    else
        length = LLVMFuzzerMutate(data, size, max_size);
    free(to);
    free(from);
    return length;
}
