/* Convolution of images to few channels, forward. A vector of output channels, as products have it, is filled in part only, and
 * each multiply-add needs a load of its own. Here a vector holds neighbouring pixels of a row, and the weight of a channel, one
 * number, is multiplied with all of them (kernels/planar/planar.inc.h).
 *
 * That wants what a tap sees of neighbouring pixels side by side. So each thread copies the image's rows under some rows of output
 * into a buffer, with the padding around them, as planes: a row becomes a line for each channel and, with strides, each remainder
 * of the column by the stride. A tap is then an offset into the buffer, the same for all pixels.
 *
 * The gradients are those of `direct`. */
#include "algos/conv/conv_gather.h"
#include "algos/conv/conv_volume.h"
#include "algos/pack.h"
#include "base/shares.h"

#include <string.h>

enum {
    PLANAR_TAPS = 256,     /* numbers under a window of a group; their offsets stand on the stack */
    PLANAR_STRIDE = 4,     /* with it, lines of a few pixels find room in the buffer */
    PLANAR_SIDE = 16,      /* of a kernel, likewise */
    PLANAR_CHANNELS = 8,   /* of groups that are copied together */
    BLOCK_FLOATS = 131072, /* of the image and the output under a block of rows: 512 KB */
};

static bool conv_planar_supports(const cc_conv *conv)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    const int64_t depth = conv->c / conv->groups;
    return h->dilation == 1 && w->dilation == 1 && w->stride <= PLANAR_STRIDE && h->kernel <= PLANAR_SIDE &&
           w->kernel <= PLANAR_SIDE && depth > 0 && depth <= PLANAR_CHANNELS && cc_conv_taps(conv) <= PLANAR_TAPS / depth;
}

/* How the buffer holds the image: `groups` groups of channels at a time, `lines` of `line` floats for each row, `phases` of them
 * for a channel; rows and columns of the output whose windows fit. */
typedef struct conv_planar_layout {
    int64_t depth, n; /* channels of a group */
    int64_t groups, phases, lines, line, rows, columns;
} conv_planar_layout;

static conv_planar_layout conv_planar_layout_of(const cc_conv *conv)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    conv_planar_layout p = {.depth = conv->c / conv->groups, .n = conv->oc / conv->groups};
    p.phases = cc_min(w->stride, w->kernel); /* no tap sees the other remainders */
    p.groups = cc_min(conv->groups, PLANAR_CHANNELS / p.depth);
    p.lines = p.groups * p.depth * p.phases;
    const int64_t beyond = (w->kernel - 1) / w->stride + CC_PLANAR_AHEAD;
    p.columns = cc_max(1, cc_min(w->out, CC_PATCH_FLOATS / (h->kernel * p.lines) - beyond));
    p.line = p.columns + beyond;
    const int64_t row_floats = h->stride * w->in * conv->c + w->out * conv->oc;
    p.rows = cc_min(h->out, (CC_PATCH_FLOATS / (p.lines * p.line) - h->kernel) / h->stride + 1);
    p.rows = cc_max(1, cc_min(p.rows, BLOCK_FLOATS / (row_floats + 1)));
    return p;
}

/* Measured: beside its multiplications, of whole vectors of pixels, a result costs 0.8 cycles for transposing and storing, and a
 * number of the image five for copying it out of its neighbours. */
static double conv_planar_cost(const cc_conv *conv, cc_conv_pass pass)
{
    if (pass != CC_CONV_FORWARD) return cc_conv_direct.cost(conv, pass);
    const cc_axis *w = &conv->window.w;
    const int64_t vec = cc_kernels_get()->gemm.nr / 2, made = (w->out + vec - 1) / vec * vec;
    const double cycle = cc_gather_cycle(), results = (double)cc_conv_pixels(conv) * (double)conv->oc;
    const double work = cc_conv_work(conv) * (double)made / (double)cc_max(w->out, 1);
    const double numbers = (double)(conv->n * conv->window.h.in * w->in * conv->c);
    return 1.1 * work + 0.8 * cycle * results + (w->stride * conv->c == 1 ? 0.5 : 5) * cycle * numbers;
}

/* The lines of some channels, from `row` on, of a row of the image (NULL: of padding). The first pixel reads from column x0 on. */
static void conv_planar_copy_row(const cc_conv *conv, const conv_planar_layout *p, float *to, const float *row,
                                 int64_t channels, int64_t x0, int64_t columns)
{
    const cc_axis *w = &conv->window.w;
    const int64_t s = w->stride, line = p->line, used = columns + (w->kernel - 1) / s;
    for (int64_t phase = 0; phase < p->phases; ++phase, to += line) {
        const int64_t x = x0 + phase; /* cell i of the line is column x + i s */
        const int64_t begin = !row ? used : x < 0 ? cc_min(used, (-x + s - 1) / s) : 0;
        const int64_t end = !row || x >= w->in ? begin : cc_max(begin, cc_min(used, (w->in - 1 - x) / s + 1));
        for (int64_t k = 0; k < channels; ++k) {
            float *cells = to + k * p->phases * line;
            for (int64_t i = 0; i < begin; ++i) cells[i] = 0;
            for (int64_t i = end; i < used; ++i) cells[i] = 0;
        }
        if (begin == end) continue;
        if (s * conv->c == 1)
            memcpy(to + begin, row + x + begin, (size_t)(end - begin) * sizeof *to);
        else
            cc_kernels_get()->planar.split(to + begin, p->phases * line, row + (x + begin * s) * conv->c, s * conv->c,
                                           end - begin, channels);
    }
}

/* Where the tap's number for the first pixel lies, from the group's first line of the window's first row on. */
static void conv_planar_list_offsets(const cc_conv *conv, const conv_planar_layout *p, int64_t offset[PLANAR_TAPS])
{
    const cc_axis *w = &conv->window.w;
    for (int64_t ty = 0; ty < conv->window.h.kernel; ++ty)
        for (int64_t tx = 0; tx < w->kernel; ++tx)
            for (int64_t k = 0; k < p->depth; ++k)
                *offset++ = (ty * p->lines + k * p->phases + tx % w->stride) * p->line + tx / w->stride;
}

/* `rows` rows of the output by job->pixels columns, from (oy, ox) on, of some groups from `group` on. y: their first pixel. */
static void conv_planar_block(const cc_conv *conv, const conv_planar_layout *p, cc_planar *job, float *y, const float *image,
                              const float *packed, const float *bias, int64_t oy, int64_t rows, int64_t ox, int64_t group,
                              int64_t groups, float *buffer)
{
    const cc_axis *h = &conv->window.h, *w = &conv->window.w;
    const int64_t y0 = oy * h->stride - h->before, seen = (rows - 1) * h->stride + h->kernel, pitch = p->lines * p->line;
    const int64_t group_floats = cc_panels_count(cc_conv_taps(conv), p->depth, p->n);
    image += group * p->depth;
    for (int64_t r = 0; r < seen; ++r) {
        const bool inside = y0 + r >= 0 && y0 + r < h->in;
        conv_planar_copy_row(conv, p, buffer + r * pitch, inside ? image + (y0 + r) * w->in * conv->c : NULL, groups * p->depth,
                             ox * w->stride - w->before, job->pixels);
    }
    for (int64_t g = 0; g < groups; ++g) {
        job->w = packed + (group + g) * group_floats;
        job->bias = bias ? bias + (group + g) * p->n : NULL;
        job->rows = rows;
        job->x_row = h->stride * pitch;
        job->y = y + (group + g) * p->n;
        cc_kernels_get()->planar.rows(job, buffer + g * p->depth * p->phases * p->line);
    }
}

static void conv_planar_forward(const cc_conv *conv, float *y, const float *x, const float *w, const float *packed,
                                const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    (void)w;
    const cc_axis *ah = &conv->window.h, *aw = &conv->window.w;
    const int64_t oc = conv->oc, image = ah->in * aw->in * conv->c, blocks = cc_conv_row_blocks(conv->n, ah->out, aw->out);
    const conv_planar_layout p = conv_planar_layout_of(conv);
    const bool clamps = cc_act_is_clamp(epilogue->act);
    int64_t offset[PLANAR_TAPS];
    conv_planar_list_offsets(conv, &p, offset);
    cc_planar job = {.n = p.n,
                     .taps = cc_conv_taps(conv) * p.depth,
                     .offset = offset,
                     .y_row = aw->out * oc,
                     .y_step = oc,
                     .accumulate = epilogue->accumulate,
                     .act = clamps ? epilogue->act : CC_ACT_LINEAR};
    cc_range mine;
    for (cc_shares shares = cc_shares_of(team, conv->n * ah->out * blocks, 1, cc_conv_work(conv));
         cc_shares_take(&shares, &mine);)
        for (int64_t i = mine.begin, rows; i < mine.end; i += rows) {
            const int64_t row = i / blocks, block = i % blocks, end = aw->out * (block + 1) / blocks, oy = row % ah->out;
            rows = blocks > 1 ? 1 : cc_min(cc_min(p.rows, ah->out - oy), mine.end - row);
            for (int64_t ox = aw->out * block / blocks; ox < end; ox += job.pixels) {
                float *to = y + (row * aw->out + ox) * oc;
                job.pixels = cc_min(p.columns, end - ox);
                for (int64_t g = 0; g < conv->groups; g += p.groups)
                    conv_planar_block(conv, &p, &job, to, x + row / ah->out * image, packed, epilogue->bias, oy, rows, ox, g,
                                      cc_min(p.groups, conv->groups - g), scratch + team->ith * CC_PATCH_FLOATS);
                if (!clamps) cc_act_rows(epilogue->act, epilogue->alpha, to, rows, aw->out * oc, job.pixels * oc);
            }
        }
}

static int64_t conv_planar_scratch_floats(const cc_conv *conv, cc_conv_pass pass, int nth)
{
    return pass == CC_CONV_FORWARD ? nth * (int64_t)CC_PATCH_FLOATS : cc_conv_direct.scratch(conv, pass, nth);
}

static void conv_planar_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w, const float *packed,
                                       const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    cc_conv_direct.input_gradient(conv, dx, dy, w, packed, epilogue, scratch, team);
}

static void conv_planar_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy, float *scratch,
                                        const cc_team *team)
{
    cc_conv_direct.weight_gradient(conv, dw, x, dy, scratch, team);
}

static const cc_conv_algorithm planar_of_images = {
    .name = "planar",
    .supports = conv_planar_supports,
    .cost = conv_planar_cost,
    .packed = cc_gather_packed,
    .pack = cc_gather_pack,
    .accumulates = true,
    .scratch = conv_planar_scratch_floats,
    .forward = conv_planar_forward,
    .input_gradient = conv_planar_input_gradient,
    .weight_gradient = conv_planar_weight_gradient,
};

CC_CONV_WITH_VOLUMES(planar, planar_of_images, false, false, false);
