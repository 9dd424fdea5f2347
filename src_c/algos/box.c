/* A box inside a larger tensor: see box.h. Both work row by row along the last axis that the box does not fill. */
#include "algos/box.h"
#include <string.h>

typedef struct rows {
    int rank;             /* axes in front of the row's own; at least 0 */
    int64_t small, large; /* elements of a row of either tensor */
    int64_t begin;        /* where the small row begins in the large one */
} rows;

static rows rows_of(const cc_shape *small, const cc_shape *large, const int64_t *begin)
{
    int last = small->rank - 1;
    rows r = {.small = 1, .large = 1};
    for (; last > 0 && small->dim[last] == large->dim[last]; --last) {
        r.small *= small->dim[last];
        r.large *= large->dim[last];
    }
    if (last < 0) return r; /* scalars */
    r.rank = last;
    r.begin = begin[last] * r.large;
    r.small *= small->dim[last];
    r.large *= large->dim[last];
    return r;
}

void cc_box_take(float *small, const cc_shape *small_shape, const float *large, const cc_shape *large_shape,
                 const int64_t *begin, const cc_team *team)
{
    rows r = rows_of(small_shape, large_shape, begin);
    cc_range mine = cc_slice(team, cc_shape_product(small_shape, 0, r.rank), 2048 / (r.small + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        int64_t rest = i, row = 0, step = 1;
        for (int k = r.rank - 1; k >= 0; --k) {
            row += (rest % small_shape->dim[k] + begin[k]) * step;
            rest /= small_shape->dim[k];
            step *= large_shape->dim[k];
        }
        memcpy(small + i * r.small, large + row * r.large + r.begin, (size_t)r.small * sizeof *small);
    }
}

void cc_box_put(float *large, const cc_shape *large_shape, const float *small, const cc_shape *small_shape,
                const int64_t *begin, const cc_team *team)
{
    rows r = rows_of(small_shape, large_shape, begin);
    cc_range mine = cc_slice(team, cc_shape_product(large_shape, 0, r.rank), 2048 / (r.large + 1) + 1);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
        int64_t rest = i, row = 0, step = 1;
        bool inside = true;
        for (int k = r.rank - 1; k >= 0; --k) {
            int64_t index = rest % large_shape->dim[k] - begin[k];
            inside = inside && index >= 0 && index < small_shape->dim[k];
            row += index * step;
            rest /= large_shape->dim[k];
            step *= small_shape->dim[k];
        }
        float *to = large + i * r.large;
        if (!inside) {
            memset(to, 0, (size_t)r.large * sizeof *to);
            continue;
        }
        memset(to, 0, (size_t)r.begin * sizeof *to);
        if (r.small > 0) memcpy(to + r.begin, small + row * r.small, (size_t)r.small * sizeof *to);
        memset(to + r.begin + r.small, 0, (size_t)(r.large - r.begin - r.small) * sizeof *to);
    }
}
