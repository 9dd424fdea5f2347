/* random: y of random numbers, in plans for training and others alike. Its shape is `shape`; a size of -1 is that of x along the
 * same axis, and nothing else is asked of x.
 *
 *     uniform           evenly from 0 up to 1, which is never drawn: multiples of 2^-24
 *     normal            of mean 0 and deviation 1
 *     truncated_normal  likewise, but what lies beyond -2 .. 2 is drawn again
 *
 * A number is a function of (seed, step, draw, element), as in dropout.c; with `fixed` of (`seed`, element) alone. Numbers that are
 * drawn again come from other seeds. No gradient passes. */
#include "base/random.h"
#include "kernels/kernels.h"
#include "ops/op.h"
#include <math.h>

enum { UNIFORM, NORMAL, TRUNCATED_NORMAL };

typedef struct random_settings {
    int distribution, fixed;
    cc_list shape;
    int64_t seed;
} random_settings;

static const cc_attr random_attributes[] = {
    {"distribution", CC_ENUM, offsetof(random_settings, distribution), NULL, "uniform|normal|truncated_normal", "of the numbers"},
    {"shape", CC_LIST, offsetof(random_settings, shape), "", NULL, "sizes of the output; -1: the size that x has there"},
    {"seed", CC_INT, offsetof(random_settings, seed), "0", NULL, "told apart by it, ops of one graph draw other numbers"},
    {"fixed", CC_BOOL, offsetof(random_settings, fixed), "0", NULL, "1: the same numbers in every run, whatever its seed and step"},
    {0}};

static cconv_status random_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *to = &((const random_settings *)call->attributes)->shape;
    const bool given = cc_has_input(call, 0);
    char text[2][CC_SHAPE_TEXT];
    if (to->n > CCONV_MAX_RANK)
        return cc_op_fail(call, CCONV_INVALID, "expected a shape of rank %d or less, received rank %d", CCONV_MAX_RANK, to->n);
    *ys = (cc_shape){.rank = to->n};
    bool fits = true;
    for (int k = 0; k < to->n; ++k) {
        ys->dim[k] = to->v[k];
        if (to->v[k] >= 0) continue;
        if (to->v[k] == -1 && given && k < call->xs[0].rank)
            ys->dim[k] = call->xs[0].dim[k];
        else
            fits = false;
    }
    if (fits && cc_shape_known(ys) && !cc_shape_check(ys)) fits = false;
    if (!fits) {
        cc_shape asked = {.rank = to->n};
        for (int k = 0; k < to->n; ++k) asked.dim[k] = to->v[k];
        return cc_op_fail(call, CCONV_INVALID,
                          "expected sizes of at least 0, or -1 for one that x has, of a result that fits in memory, received "
                          "shape %s with %s%s",
                          cc_shape_text(&asked, text[0]), given ? "x of shape " : "no x",
                          given ? cc_shape_text(&call->xs[0], text[1]) : "");
    }
    return CCONV_OK;
}

/* A fresh number for each that lies beyond -2 .. 2: some five of a hundred, so that another attempt fails as rarely. */
static void random_truncate(float *y, cc_range mine, cc_random random)
{
    const uint64_t seed = random.seed;
    for (int64_t i = mine.begin; i < mine.end; ++i)
        for (uint64_t attempt = 1; fabsf(y[i]) > 2; ++attempt) {
            float four[4];
            random.seed = seed ^ attempt * UINT64_C(0xD1B54A32D192ED03);
            cc_kernels_get()->random.normal(four, 4, &random, (uint32_t)(i / 4));
            y[i] = four[i % 4];
        }
}

static void random_forward(const cc_call *call, const cc_team *team)
{
    const random_settings *a = call->attributes;
    const cc_range mine = cc_slice(team, cc_shape_count(&call->ys), 512); /* a multiple of 4: whole blocks of numbers */
    if (mine.begin >= mine.end) return;
    /* As in dropout.c: the odd factor keeps small attribute seeds away from small run seeds. */
    const uint64_t own = (uint64_t)a->seed * UINT64_C(0x9E3779B97F4A7C15);
    const cc_random of_run = {.seed = call->seed ^ own, .step = call->step, .draw = (uint32_t)call->draw};
    const cc_random random = a->fixed ? (cc_random){.seed = own} : of_run;
    const uint32_t first = (uint32_t)(mine.begin / 4);
    float *y = call->y + mine.begin;
    if (a->distribution == UNIFORM) {
        cc_kernels_get()->random.uniform(y, mine.end - mine.begin, &random, first);
        return;
    }
    cc_kernels_get()->random.normal(y, mine.end - mine.begin, &random, first);
    if (a->distribution == TRUNCATED_NORMAL) random_truncate(call->y, mine, random);
}

const cc_op cc_op_random = {.name = "random",
                            .inputs = "x?",
                            .types = "t -> f",
                            .meaning = "x is asked for its sizes only",
                            .attributes = random_attributes,
                            .attributes_size = sizeof(random_settings),
                            .flags = CC_RANDOM,
                            .infer = random_infer,
                            .forward = random_forward};
