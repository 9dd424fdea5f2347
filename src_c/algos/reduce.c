/* Reductions over axes: see reduce.h. */
#include "algos/reduce.h"
#include <math.h>

enum {
    BLOCK = 4096,        /* terms worth a block of their own */
    MAX_PARTIALS = 8192, /* values in scratch */
    LANES = 8,           /* running results of one output, so that consecutive terms do not wait for each other */
    COLUMNS = 256,       /* outputs folded side by side, at most, */
    LEAST_COLUMNS = 64   /* and where there are not enough of these for all threads */
};

const float *cc_terms_stored(const void *context, int64_t begin, int64_t n, float *buffer)
{
    (void)n;
    (void)buffer;
    return (const float *)context + begin;
}

void cc_reduction_init(cc_reduction *reduction, const cc_shape *xs, unsigned axes)
{
    cc_reduction r = {.outputs = 1, .terms = 1};
    int rank = 0;
    int64_t dim[CCONV_MAX_RANK];
    bool folded[CCONV_MAX_RANK];
    for (int k = 0; k < xs->rank; ++k) {
        bool reduce = axes >> k & 1u;
        if (reduce)
            r.terms *= xs->dim[k];
        else
            r.outputs *= xs->dim[k];
        if (xs->dim[k] == 1) continue;
        if (rank > 0 && folded[rank - 1] == reduce) {
            dim[rank - 1] *= xs->dim[k];
        } else {
            dim[rank] = xs->dim[k];
            folded[rank++] = reduce;
        }
    }
    r.run = rank > 0 ? dim[rank - 1] : 1;
    r.columns = rank > 0 && !folded[rank - 1];
    for (int k = 0; k < rank - 1; ++k) {
        int64_t stride = 1;
        for (int j = k + 1; j < rank; ++j) stride *= dim[j];
        if (folded[k]) {
            r.reduced[r.reduced_rank] = dim[k];
            r.reduced_stride[r.reduced_rank++] = stride;
        } else {
            r.kept[r.kept_rank] = dim[k];
            r.kept_stride[r.kept_rank++] = stride;
        }
    }
    int64_t blocks = r.terms / BLOCK, limit = r.outputs > 0 ? MAX_PARTIALS / r.outputs : 0;
    if (blocks > limit) blocks = limit;
    r.blocks = blocks < 2 ? 1 : blocks;
    *reduction = r;
}

size_t cc_reduction_scratch(const cc_reduction *reduction)
{
    /* blocks * outputs, if it is used at all, is at most terms * outputs / BLOCK: this bound grows with the tensor, which
     * blocks * outputs itself does not. */
    int64_t partials = reduction->terms * reduction->outputs / BLOCK;
    return (size_t)(partials < MAX_PARTIALS ? partials : MAX_PARTIALS) * sizeof(double);
}

static double reduce_start(cc_fold fold)
{
    switch (fold) {
    case CC_FOLD_PROD: return 1.0;
    case CC_FOLD_MAX: return -INFINITY;
    case CC_FOLD_MIN: return INFINITY;
    default: return 0.0;
    }
}

/* As in NumPy a NaN wins, and stays. */
static inline double reduce_larger(double a, double b)
{
    return b > a || b != b ? b : a;
}

static inline double reduce_smaller(double a, double b)
{
    return b < a || b != b ? b : a;
}

static inline double reduce_join(cc_fold fold, double a, double b)
{
    switch (fold) {
    case CC_FOLD_PROD: return a * b;
    case CC_FOLD_MAX: return reduce_larger(a, b);
    case CC_FOLD_MIN: return reduce_smaller(a, b);
    default: return a + b;
    }
}

/* Folds v[i] into result[i % width], i in 0 .. n-1. */
static inline void reduce_fold_rows(cc_fold fold, double *result, int64_t width, const float *v, int64_t n)
{
    for (; n > 0; n -= width, v += width) {
        int64_t m = n < width ? n : width;
        switch (fold) {
        case CC_FOLD_SUM:
            for (int64_t j = 0; j < m; ++j) result[j] += v[j];
            break;
        case CC_FOLD_PROD:
            for (int64_t j = 0; j < m; ++j) result[j] *= v[j];
            break;
        case CC_FOLD_MAX:
            for (int64_t j = 0; j < m; ++j) result[j] = reduce_larger(result[j], v[j]);
            break;
        case CC_FOLD_MIN:
            for (int64_t j = 0; j < m; ++j) result[j] = reduce_smaller(result[j], v[j]);
            break;
        }
    }
}

/* Position i in row-major order of the sizes: writes the index along each axis, returns the offset. */
static int64_t reduce_locate(int rank, const int64_t *dim, const int64_t *stride, int64_t i, int64_t *index)
{
    int64_t offset = 0;
    for (int k = rank - 1; k >= 0; --k) {
        index[k] = i % dim[k];
        i /= dim[k];
        offset += index[k] * stride[k];
    }
    return offset;
}

/* The position after it: returns the offset. */
static inline int64_t reduce_step(int rank, const int64_t *dim, const int64_t *stride, int64_t *index, int64_t offset)
{
    for (int k = rank - 1; k >= 0; --k) {
        offset += stride[k];
        if (++index[k] < dim[k]) break;
        offset -= dim[k] * stride[k];
        index[k] = 0;
    }
    return offset;
}

/* Folds terms from .. to-1 of `width` outputs that lie side by side at `base` into result[0 .. width-1]. */
static void reduce_fold_columns(const cc_reduction *r, cc_fold fold, cc_terms terms, const void *context, int64_t base,
                                int64_t width, int64_t from, int64_t to, double *result)
{
    float buffer[CC_TERMS];
    int64_t index[CCONV_MAX_RANK];
    for (int64_t j = 0; j < width; ++j) result[j] = reduce_start(fold);
    int64_t offset = from < to ? reduce_locate(r->reduced_rank, r->reduced, r->reduced_stride, from, index) : 0;
    for (int64_t t = from; t < to; ++t) {
        reduce_fold_rows(fold, result, width, terms(context, base + offset, width, buffer), width);
        offset = reduce_step(r->reduced_rank, r->reduced, r->reduced_stride, index, offset);
    }
}

/* Folds terms from .. to-1 of the one output at `base`, whose terms lie side by side in runs. */
static double reduce_fold_run(const cc_reduction *r, cc_fold fold, cc_terms terms, const void *context, int64_t base,
                              int64_t from, int64_t to)
{
    float buffer[CC_TERMS];
    double lane[LANES];
    int64_t index[CCONV_MAX_RANK];
    for (int j = 0; j < LANES; ++j) lane[j] = reduce_start(fold);
    if (from < to) {
        int64_t place = from % r->run,
                offset = reduce_locate(r->reduced_rank, r->reduced, r->reduced_stride, from / r->run, index);
        for (int64_t t = from; t < to;) {
            int64_t n = r->run - place;
            if (n > to - t) n = to - t;
            if (n > CC_TERMS) n = CC_TERMS;
            reduce_fold_rows(fold, lane, LANES, terms(context, base + offset + place, n, buffer), n);
            t += n;
            place += n;
            if (place == r->run) {
                place = 0;
                offset = reduce_step(r->reduced_rank, r->reduced, r->reduced_stride, index, offset);
            }
        }
    }
    for (int j = 1; j < LANES; ++j) lane[0] = reduce_join(fold, lane[0], lane[j]);
    return lane[0];
}

static inline void reduce_put(int64_t o, double value, double divisor, float *y, double *wide)
{
    if (y)
        y[o] = (float)(value / divisor);
    else
        wide[o] = value / divisor;
}

void cc_reduce(const cc_reduction *reduction, cc_fold fold, cc_terms terms, const void *context, double divisor, float *y,
               double *wide, void *scratch, const cc_team *team)
{
    const cc_reduction *r = reduction;
    double *partial = scratch;
    if (fold != CC_FOLD_SUM) divisor = 1.0;

    /* A task is one block of one output, or of up to `width` outputs. */
    int64_t width = r->columns ? COLUMNS : 1;
    while (width > LEAST_COLUMNS && r->outputs / width * r->blocks < 4 * team->nth) width /= 2;
    int64_t across = r->columns ? (r->run + width - 1) / width : 1;
    int64_t groups = r->outputs == 0 ? 0 : (r->columns ? r->outputs / r->run : r->outputs) * across;
    cc_range mine = cc_slice(team, groups * r->blocks, BLOCK * r->blocks / (r->terms * width + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        int64_t block = i / groups, group = i % groups, index[CCONV_MAX_RANK];
        int64_t from = r->terms * block / r->blocks, to = r->terms * (block + 1) / r->blocks;
        int64_t base = reduce_locate(r->kept_rank, r->kept, r->kept_stride, group / across, index);
        int64_t column = group % across * width, first = group, n = 1;
        double result[COLUMNS];
        if (r->columns) {
            first = group / across * r->run + column;
            n = r->run - column < width ? r->run - column : width;
            reduce_fold_columns(r, fold, terms, context, base + column, n, from, to, result);
        } else {
            result[0] = reduce_fold_run(r, fold, terms, context, base, from, to);
        }
        for (int64_t j = 0; j < n; ++j) {
            if (r->blocks == 1)
                reduce_put(first + j, result[j], divisor, y, wide);
            else
                partial[block * r->outputs + first + j] = result[j];
        }
    }
    cc_barrier_wait(team);
    if (r->blocks == 1) return;

    cc_range own = cc_slice(team, r->outputs, BLOCK / r->blocks + 1);
    for (int64_t o = own.begin; o < own.end; ++o) {
        double result = partial[o];
        for (int64_t block = 1; block < r->blocks; ++block) result = reduce_join(fold, result, partial[block * r->outputs + o]);
        reduce_put(o, result, divisor, y, wide);
    }
}

/* In unsigned arithmetic, which may wrap around: the order does not matter. */
static inline int32_t reduce_join_ints(cc_fold fold, int32_t a, int32_t b)
{
    switch (fold) {
    case CC_FOLD_PROD: return (int32_t)((uint32_t)a * (uint32_t)b);
    case CC_FOLD_MAX: return b > a ? b : a;
    case CC_FOLD_MIN: return b < a ? b : a;
    default: return (int32_t)((uint32_t)a + (uint32_t)b);
    }
}

void cc_reduce_ints(const cc_reduction *reduction, cc_fold fold, const int32_t *x, int32_t *y, const cc_team *team)
{
    const cc_reduction *r = reduction;
    const int32_t none = fold == CC_FOLD_PROD ? 1 : fold == CC_FOLD_MAX ? INT32_MIN : fold == CC_FOLD_MIN ? INT32_MAX : 0;
    const int64_t outer = r->columns ? r->run : 1,
                  inner = r->columns ? 1 : r->run; /* outputs and terms that lie side by side */
    cc_range mine = cc_slice(team, r->outputs, BLOCK / (r->terms + 1) + 1);
    for (int64_t o = mine.begin; o < mine.end; ++o) {
        int64_t index[CCONV_MAX_RANK] = {0};
        const int32_t *from = x + reduce_locate(r->kept_rank, r->kept, r->kept_stride, o / outer, index) + o % outer;
        int32_t result = none;
        int64_t offset = 0;
        for (int k = 0; k < CCONV_MAX_RANK; ++k) index[k] = 0;
        for (int64_t t = 0; t < r->terms; t += inner) {
            for (int64_t i = 0; i < inner; ++i) result = reduce_join_ints(fold, result, from[offset + i]);
            offset = reduce_step(r->reduced_rank, r->reduced, r->reduced_stride, index, offset);
        }
        y[o] = result;
    }
}
