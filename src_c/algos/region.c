/* A region of a larger tensor: see region.h. Both work row by row along the last axis that the region does not fill. */
#include "algos/region.h"
#include <string.h>

typedef struct region_layout {
    int rank;             /* axes in front of the row's own; at least 0 */
    int64_t small, large; /* elements of a row of either tensor */
    int64_t begin;        /* where the small row begins in the large one */
} region_layout;

static region_layout region_rows(const cc_shape *small, const cc_shape *large, const int64_t *begin)
{
    int last = small->rank - 1;
    region_layout r = {.small = 1, .large = 1};
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

void cc_region_gather(float *small, const cc_shape *small_shape, const float *large, const cc_shape *large_shape,
                      const int64_t *begin, const cc_team *team)
{
    region_layout r = region_rows(small_shape, large_shape, begin);
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

/* n times the same value, bit by bit: those of an int32 may be a float32 that counts as 0. */
static void region_fill(float *to, int64_t n, float value)
{
    static const float zero = 0;
    if (memcmp(&value, &zero, sizeof value) == 0)
        memset(to, 0, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; ++i) to[i] = value;
}

void cc_region_scatter(float *large, const cc_shape *large_shape, const float *small, const cc_shape *small_shape,
                       const int64_t *begin, float around, const cc_team *team)
{
    region_layout r = region_rows(small_shape, large_shape, begin);
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
            region_fill(to, r.large, around);
            continue;
        }
        region_fill(to, r.begin, around);
        if (r.small > 0) memcpy(to + r.begin, small + row * r.small, (size_t)r.small * sizeof *to);
        region_fill(to + r.begin + r.small, r.large - r.begin - r.small, around);
    }
}
