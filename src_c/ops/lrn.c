/* lrn: local response normalization over neighbouring channels (Krizhevsky, Sutskever, Hinton: ImageNet classification, NIPS 2012).
 * In each pixel, with k = floor((size - 1) / 2) channels before and ceil((size - 1) / 2) behind in the window of a channel,
 *
 *     d[i] = bias + a sum of x[j]^2, j in the window of i       a = alpha, or alpha / size
 *     y[i] = x[i] d[i]^-beta
 *     dx[j] = dy[j] d[j]^-beta - 2 a beta x[j] sum of dy[i] x[i] d[i]^(-beta - 1), over the i in whose windows j is
 *
 * Sums are kept in double: a window may hold all channels. */
#include "ops/infer.h"
#include <math.h>

typedef struct lrn {
    int64_t size;
    float alpha, beta, bias;
    int alpha_over_size;
} lrn;

static const cc_attr lrn_attributes[] = {
    {"size", CC_INT, offsetof(lrn, size), NULL, NULL,
     "channels in a window; of an even number one more lies behind than before"},
    {"alpha", CC_FLOAT, offsetof(lrn, alpha), "0.0001", NULL, "factor of the sum of squares"},
    {"beta", CC_FLOAT, offsetof(lrn, beta), "0.75", NULL, "exponent of what x is divided by"},
    {"bias", CC_FLOAT, offsetof(lrn, bias), "1", NULL, "added to the sum of squares"},
    {"alpha_over_size", CC_BOOL, offsetof(lrn, alpha_over_size), "1", NULL,
     "1: alpha is divided by size, as ONNX, PyTorch and Caffe do; 0: it is not, as in TensorFlow and the article"},
    {0}};

static cconv_status lrn_infer(const cc_call *call, cc_shape *ys)
{
    const lrn *a = call->attributes;
    char text[CC_SHAPE_TEXT];
    if (call->xs[0].rank < 1)
        return cc_op_fail(call, CCONV_INVALID, "expected x with channels on its last axis, received shape %s",
                          cc_shape_text(&call->xs[0], text));
    if (a->size < 1) return cc_op_fail(call, CCONV_INVALID, "expected a size of at least 1, received %lld", (long long)a->size);
    return cc_infer_same(call, ys);
}

static int64_t lrn_channels(const cc_call *call)
{
    return call->xs[0].dim[call->xs[0].rank - 1];
}

static uint64_t lrn_row_bytes(const cc_call *call)
{
    return ((uint64_t)lrn_channels(call) * sizeof(double) + 63) / 64 * 64;
}

static void lrn_need(const cc_call *call, int nth, cc_need *need)
{
    need->forward_scratch = (uint64_t)nth * lrn_row_bytes(call);
    if (call->differentiate) need->backward_scratch = 3 * (uint64_t)nth * lrn_row_bytes(call);
}

/* Channels before and behind one in its window: more than there are count no more than all. */
typedef struct reach {
    int64_t before, behind;
} reach;

static reach lrn_reach(const lrn *a, int64_t c)
{
    const int64_t before = (a->size - 1) / 2, behind = a->size / 2;
    return (reach){before < c ? before : c - 1, behind < c ? behind : c - 1};
}

/* sum[i] += the terms of the channels i - before .. i + behind, shift by shift so that neighbours are added side by side. */
#define LRN_ADD_WINDOWS(sum, c, before, behind, j, term)                                                                       \
    for (int64_t shift = -(before); shift <= (behind); ++shift) {                                                              \
        const int64_t first = shift < 0 ? -shift : 0, last = shift > 0 ? (c)-shift : (c);                                      \
        for (int64_t i = first; i < last; ++i) {                                                                               \
            const int64_t j = i + shift;                                                                                       \
            (sum)[i] += term;                                                                                                  \
        }                                                                                                                      \
    }

/* d of each channel. */
static void lrn_divisors(const lrn *a, const float *x, int64_t c, double *d)
{
    const reach r = lrn_reach(a, c);
    const double alpha = a->alpha_over_size ? (double)a->alpha / (double)a->size : (double)a->alpha;
    for (int64_t i = 0; i < c; ++i) d[i] = 0;
    LRN_ADD_WINDOWS(d, c, r.before, r.behind, j, (double)x[j] * (double)x[j])
    for (int64_t i = 0; i < c; ++i) d[i] = (double)a->bias + alpha * d[i];
}

/* v^-beta. By roots for the exponents that networks have. */
static inline double lrn_power(double v, float beta)
{
    if (beta == 0.75f) return 1 / (sqrt(v) * sqrt(sqrt(v)));
    if (beta == 0.5f) return 1 / sqrt(v);
    if (beta == 1) return 1 / v;
    return pow(v, -(double)beta);
}

static cc_range lrn_pixels(const cc_call *call, const cc_team *team)
{
    const int64_t c = lrn_channels(call);
    return cc_slice(team, cc_shape_product(&call->xs[0], 0, call->xs[0].rank - 1), 256 / (c + 1) + 1);
}

static void lrn_forward(const cc_call *call, const cc_team *team)
{
    const lrn *a = call->attributes;
    const int64_t c = lrn_channels(call);
    double *d = (double *)(void *)((char *)call->scratch + (uint64_t)team->ith * lrn_row_bytes(call));
    const cc_range mine = lrn_pixels(call, team);
    for (int64_t p = mine.begin; p < mine.end; ++p) {
        const float *x = call->x[0] + p * c;
        float *y = call->y + p * c;
        lrn_divisors(a, x, c, d);
        for (int64_t i = 0; i < c; ++i) y[i] = (float)((double)x[i] * lrn_power(d[i], a->beta));
    }
}

static void lrn_backward(const cc_call *call, const cc_team *team)
{
    const lrn *a = call->attributes;
    const int64_t c = lrn_channels(call);
    const reach r = lrn_reach(a, c);
    const double alpha = a->alpha_over_size ? (double)a->alpha / (double)a->size : (double)a->alpha;
    const uint64_t bytes = lrn_row_bytes(call);
    char *memory = (char *)call->scratch + 3 * (uint64_t)team->ith * bytes;
    double *d = (double *)(void *)memory, *sent = (double *)(void *)(memory + bytes),
           *sum = (double *)(void *)(memory + 2 * bytes);
    const cc_range mine = lrn_pixels(call, team);
    if (!call->dx[0]) return;
    for (int64_t p = mine.begin; p < mine.end; ++p) {
        const float *x = call->x[0] + p * c, *dy = call->dy + p * c;
        float *dx = call->dx[0] + p * c;
        lrn_divisors(a, x, c, d);
        for (int64_t i = 0; i < c; ++i) {
            const double power = lrn_power(d[i], a->beta);
            sent[i] = (double)dy[i] * (double)x[i] * power / d[i];
            d[i] = power;
            sum[i] = 0;
        }
        LRN_ADD_WINDOWS(sum, c, r.behind, r.before, j, sent[j]) /* the windows that a channel is in: the other way round */
        for (int64_t i = 0; i < c; ++i)
            dx[i] = (float)((double)dy[i] * d[i] - 2 * alpha * (double)a->beta * (double)x[i] * sum[i]);
    }
}

static bool lrn_per_sample(const cc_call *call)
{
    return call->xs[0].rank > 1;
}

const cc_op cc_op_lrn = {.name = "lrn",
                         .inputs = "x",
                         .attributes = lrn_attributes,
                         .attributes_size = sizeof(lrn),
                         .reads = CC_READS_X(0),
                         .per_sample = lrn_per_sample,
                         .infer = lrn_infer,
                         .need = lrn_need,
                         .forward = lrn_forward,
                         .backward = lrn_backward};
