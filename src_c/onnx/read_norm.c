/* Normalizations, and Dropout. */
#include "onnx/reader.h"

/* Numbers are float32 inside: what is computed in double or half precision elsewhere is so here. */
static bool norm_stash(onnx_call *c)
{
    const int64_t type = onnx_int(c, "stash_type", ONNX_FLOAT);
    cconv_dtype inside;
    if (onnx_type_inside((onnx_type)type, &inside) && inside == CCONV_FLOAT32) return !onnx_failed(c);
    return onnx_damaged(c, "expected a stash_type of floating point, received %lld", (long long)type);
}

/* A vector of n elements as a factor of axis 1 of an input of this rank. */
static int norm_along_channels(onnx_call *c, int vector, int rank)
{
    int64_t dim[CCONV_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    dim[1] = cc_shape_count(onnx_shape(c, vector));
    return onnx_reshape(c, vector, rank, dim);
}

/* "axes=..." of the axes from `from` on, and of axis 0 too if `batch`. */
static const char *norm_axes(char text[256], int rank, int from, bool batch)
{
    int64_t axes[CCONV_MAX_RANK] = {0};
    int n = batch;
    for (int i = from; i < rank; ++i) axes[n++] = i;
    return onnx_list_text(text, "axes", n, axes);
}

/* Mean and variance along axes, which stay with size 1. */
typedef struct norm_moments {
    int mean, centered, variance;
} norm_moments;

static norm_moments norm_measure(onnx_call *c, int x, const char *axes)
{
    norm_moments m;
    m.mean = onnx_add1(c, "mean", x, "%s keepdims=1", axes);
    m.centered = onnx_add2(c, "subtract", x, m.mean, NULL);
    m.variance = onnx_add1(c, "mean", onnx_add1(c, "square", m.centered, NULL), "%s keepdims=1", axes);
    return m;
}

/* 1 / sqrt(variance + epsilon) */
static int norm_inverse_deviation(onnx_call *c, int variance, double epsilon)
{
    const int more = onnx_add2(c, "add", variance, onnx_scalar(c, variance, epsilon), NULL);
    return onnx_add1(c, "reciprocal", onnx_add1(c, "sqrt", more, NULL), NULL);
}

/* momentum old + (1 - momentum) new */
static int norm_moved(onnx_call *c, int old, int new, double momentum)
{
    new = onnx_reshape(c, new, onnx_shape(c, old)->rank, onnx_shape(c, old)->dim);
    const int kept = onnx_add2(c, "multiply", old, onnx_scalar(c, old, momentum), NULL);
    return onnx_add2(c, "add", kept, onnx_add2(c, "multiply", new, onnx_scalar(c, new, 1 - momentum), NULL), NULL);
}

/* training_mode: by the batch's mean and variance whenever it is run; the averages go on as outputs. */
static bool norm_by_batch(onnx_call *c, int x, double epsilon, double momentum)
{
    char axes[256];
    const int rank = onnx_shape(c, x)->rank;
    const norm_moments m = norm_measure(c, x, norm_axes(axes, rank, 2, true));
    int y = onnx_add2(c, "multiply", m.centered, norm_inverse_deviation(c, m.variance, epsilon), NULL);
    y = onnx_add2(c, "multiply", y, norm_along_channels(c, onnx_input(c, 1), rank), NULL);
    y = onnx_add2(c, "add", y, norm_along_channels(c, onnx_input(c, 2), rank), NULL);
    if (onnx_wants(c, 1)) onnx_give(c, 1, norm_moved(c, onnx_input(c, 3), m.mean, momentum));
    if (onnx_wants(c, 2)) onnx_give(c, 2, norm_moved(c, onnx_input(c, 4), m.variance, momentum));
    return onnx_give(c, 0, y);
}

bool onnx_read_BatchNormalization(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    const double epsilon = (double)onnx_float(c, "epsilon", 1e-5f), momentum = (double)onnx_float(c, "momentum", 0.9f);
    if (onnx_opset(c) < 7) onnx_ignore(c, "is_test"); /* plans say whether they train */
    if (onnx_failed(c)) return false;
    if (rank < 2) return onnx_refuse(c, "an input of rank %d", rank);
    if (onnx_opset(c) < 9 && onnx_int(c, "spatial", 1) == 0 && rank > 2) return onnx_refuse(c, "spatial 0");
    if (onnx_opset(c) >= 14 && onnx_int(c, "training_mode", 0)) return norm_by_batch(c, x, epsilon, momentum);
    for (int k = 1; k < onnx_outputs(c); ++k)
        if (onnx_wants(c, k)) return onnx_refuse(c, "outputs of mean and variance, but not training_mode 1");
    const int inputs[] = {x, onnx_input(c, 1), onnx_input(c, 2), onnx_input(c, 3), onnx_input(c, 4)};
    return onnx_give(c, 0,
                     onnx_add(c, "batch_norm", 5, inputs, "axis=1 epsilon=%.9g momentum=%.9g training=%d", epsilon, momentum,
                              !onnx_frozen(c)));
}

static int norm_by_groups(onnx_call *c, int x, int gamma, int beta, int64_t groups, double epsilon)
{
    const int inputs[] = {onnx_channels_last(c, x), gamma, beta};
    return onnx_channels_first(c, onnx_add(c, "group_norm", 3, inputs, "groups=%lld epsilon=%.9g", (long long)groups, epsilon));
}

bool onnx_read_InstanceNormalization(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    const double epsilon = (double)onnx_float(c, "epsilon", 1e-5f);
    const int64_t channels = onnx_shape(c, x)->rank >= 3 ? onnx_shape(c, x)->dim[1] : 0;
    if (onnx_failed(c)) return false;
    if (channels < 1) return onnx_damaged(c, "expected an input of rank 3 or more, received %d", onnx_shape(c, x)->rank);
    return onnx_give(c, 0, norm_by_groups(c, x, onnx_input(c, 1), onnx_input(c, 2), channels, epsilon));
}

/* A number for each group as one for each channel. */
static int norm_spread(onnx_call *c, int values, int64_t groups, int64_t channels)
{
    const int64_t column[] = {groups, 1};
    const int spread = onnx_add1(c, "broadcast_to", onnx_reshape(c, values, 2, column), "shape=%lld,%lld", (long long)groups,
                                 (long long)(channels / groups));
    return onnx_reshape(c, spread, 1, &channels);
}

bool onnx_read_GroupNormalization(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    int gamma = onnx_input(c, 1), beta = onnx_input(c, 2);
    const int64_t groups = onnx_int(c, "num_groups", 0), channels = rank >= 2 ? onnx_shape(c, x)->dim[1] : 0;
    if (onnx_failed(c) || !norm_stash(c)) return false;
    if (groups < 1 || channels < 1 || channels % groups != 0)
        return onnx_damaged(c, "expected channels that num_groups divides, received %lld and %lld", (long long)channels,
                            (long long)groups);
    if (onnx_opset(c) < 21) {
        gamma = norm_spread(c, gamma, groups, channels);
        beta = norm_spread(c, beta, groups, channels);
    }
    return onnx_give(c, 0, norm_by_groups(c, x, gamma, beta, groups, (double)onnx_float(c, "epsilon", 1e-5f)));
}

/* Scale or bias in the sizes of x from `axis` on. */
static int norm_fitted(onnx_call *c, int node, int x, int axis)
{
    if (!node || onnx_failed(c)) return 0;
    const cc_shape *whole = onnx_shape(c, x), *own = onnx_shape(c, node);
    const int rank = whole->rank - axis;
    bool same = own->rank == rank;
    for (int i = 0; same && i < rank; ++i) same = own->dim[i] == whole->dim[axis + i];
    if (same) return node;
    int64_t dim[CCONV_MAX_RANK], sizes[CCONV_MAX_RANK];
    int n = 0;
    const int first = own->rank > rank ? own->rank - rank : 0; /* axes of size 1 in front of the others */
    for (int i = 0; i < first; ++i)
        if (own->dim[i] != 1) return onnx_damaged(c, "expected scale and bias that broadcast to the axes from %d on", axis);
    for (int i = first; i < own->rank; ++i) dim[n++] = own->dim[i];
    for (int i = 0; i < rank; ++i) sizes[i] = whole->dim[axis + i];
    char text[256];
    return onnx_add1(c, "broadcast_to", onnx_reshape(c, node, n, dim), "%s", onnx_list_text(text, "shape", rank, sizes));
}

static bool norm_layers(onnx_call *c, bool rms)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank, axis = onnx_axis(c, onnx_int(c, "axis", -1), rank);
    const double epsilon = (double)onnx_float(c, "epsilon", 1e-5f);
    if (onnx_failed(c) || !norm_stash(c)) return false;
    if (!rms && (onnx_wants(c, 1) || onnx_wants(c, 2))) {
        char axes[256];
        const norm_moments m = norm_measure(c, x, norm_axes(axes, rank, axis, false));
        onnx_give(c, 1, m.mean);
        onnx_give(c, 2, norm_inverse_deviation(c, m.variance, epsilon));
    }
    const int inputs[] = {x, norm_fitted(c, onnx_input(c, 1), x, axis), rms ? 0 : norm_fitted(c, onnx_input(c, 2), x, axis)};
    return onnx_give(c, 0, onnx_add(c, "layer_norm", 3, inputs, "axis=%d epsilon=%.9g rms=%d", axis, epsilon, rms));
}

bool onnx_read_LayerNormalization(onnx_call *c)
{
    return norm_layers(c, false);
}

bool onnx_read_RMSNormalization(onnx_call *c)
{
    return norm_layers(c, true);
}

bool onnx_read_LRN(onnx_call *c)
{
    const int x = onnx_channels_last(c, onnx_input(c, 0));
    const int y = onnx_add1(c, "lrn", x, "size=%lld alpha=%.9g beta=%.9g bias=%.9g alpha_over_size=1",
                            (long long)onnx_int(c, "size", 0), (double)onnx_float(c, "alpha", 0.0001f),
                            (double)onnx_float(c, "beta", 0.75f), (double)onnx_float(c, "bias", 1));
    return onnx_give(c, 0, onnx_channels_first(c, y));
}

bool onnx_read_MeanVarianceNormalization(onnx_call *c)
{
    const int x = onnx_input(c, 0), rank = onnx_shape(c, x)->rank;
    onnx_list axes;
    if (!onnx_ints(c, "axes", &axes)) axes = (onnx_list){.n = 3, .v = {0, 2, 3}};
    if (onnx_failed(c)) return false;
    if (axes.n > rank) return onnx_damaged(c, "expected axes of an input of rank %d, received %d", rank, axes.n);
    for (int i = 0; i < axes.n; ++i) axes.v[i] = onnx_axis(c, axes.v[i], rank);
    char text[256];
    const norm_moments m = norm_measure(c, x, onnx_list_text(text, "axes", axes.n, axes.v));
    const int deviation = onnx_add1(c, "sqrt", m.variance, NULL);
    return onnx_give(
        c, 0, onnx_add2(c, "divide", m.centered, onnx_add2(c, "add", deviation, onnx_scalar(c, deviation, 1e-9), NULL), NULL));
}

bool onnx_read_LpNormalization(onnx_call *c)
{
    const int x = onnx_input(c, 0), axis = onnx_axis(c, onnx_int(c, "axis", -1), onnx_shape(c, x)->rank);
    const int64_t p = onnx_int(c, "p", 2);
    if (onnx_failed(c)) return false;
    if (p != 1 && p != 2) return onnx_damaged(c, "expected p of 1 or 2, received %lld", (long long)p);
    int norm = onnx_add1(c, "sum", onnx_add1(c, p == 1 ? "abs" : "square", x, NULL), "axes=%d keepdims=1", axis);
    if (p == 2) norm = onnx_add1(c, "sqrt", norm, NULL);
    const int zero = onnx_add2(c, "equal", norm, onnx_scalar(c, norm, 0), NULL); /* of zeros, which stay zeros */
    const int inputs[] = {zero, onnx_scalar(c, norm, 1), norm};
    return onnx_give(c, 0, onnx_add2(c, "divide", x, onnx_add(c, "where", 3, inputs, NULL), NULL));
}

/* True everywhere, in the sizes of x, whatever they are. */
static int norm_ones(onnx_call *c, int x)
{
    return onnx_add2(c, "maximum", onnx_add2(c, "equal", x, x, NULL), onnx_add2(c, "not_equal", x, x, NULL), NULL);
}

bool onnx_read_Dropout(onnx_call *c)
{
    const int x = onnx_input(c, 0);
    float ratio = 0.5f;
    int room = 1;
    if (onnx_opset(c) < 7) onnx_ignore(c, "is_test");
    if (onnx_opset(c) < 12)
        ratio = onnx_float(c, "ratio", ratio);
    else
        onnx_ignore(c, "seed"); /* other numbers are drawn, whatever it is */
    onnx_list training = {.n = 0};
    if (onnx_opset(c) >= 12 && onnx_has(c, 2)) onnx_known_ints(c, 2, &training);
    const bool active = training.n && training.v[0];
    if (onnx_opset(c) >= 12 && onnx_has(c, 1)) {
        if (!onnx_known(c, 1) && !active)
            ratio = 0; /* nothing is dropped, whatever it is */
        else
            onnx_known_floats(c, 1, &ratio, &room);
    }
    if (onnx_failed(c)) return false;
    if (!(ratio >= 0 && ratio < 1)) return onnx_refuse(c, "ratio %g (only one from 0 to below 1 is supported)", (double)ratio);
    if (active && ratio > 0) return onnx_refuse(c, "training_mode true (plans for training drop elements, others do not)");
    if (onnx_wants(c, 1)) { /* as of a run that drops nothing */
        const int ones = norm_ones(c, x);
        onnx_give_as(c, 1, onnx_opset(c) < 10 ? onnx_cast(c, ones, CCONV_FLOAT32) : ones,
                     onnx_opset(c) < 10 ? onnx_input_type(c, 0) : ONNX_BOOL);
    }
    const bool drops = ratio > 0 && !onnx_frozen(c) && !onnx_wants(c, 1);
    return onnx_give(c, 0, drops ? onnx_add1(c, "dropout", x, "rate=%.9g", (double)ratio) : onnx_add1(c, "identity", x, NULL));
}
