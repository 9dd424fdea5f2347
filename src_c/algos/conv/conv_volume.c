/* Volumes by algorithms of images: see conv_volume.h. */
#include "algos/conv/conv_volume.h"
#include "kernels/kernels.h"
#include <string.h>

/* The convolution of some planes. */
static cc_conv conv_volume_planes_of(const cc_conv *conv, int64_t planes)
{
    cc_conv flat = *conv;
    flat.n = planes;
    flat.window.d = (cc_axis){.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};
    return flat;
}

/* The most planes that go together. */
static int64_t conv_volume_most_planes(const cc_conv *conv, cc_conv_pass pass)
{
    const cc_axis *d = &conv->window.d;
    if (d->stride > 1) return 1;
    return pass == CC_CONV_INPUT_GRADIENT ? d->in : d->out;
}

bool cc_volume_supports(const cc_conv_algorithm *flat, const cc_conv *conv)
{
    const cc_conv planes = conv_volume_planes_of(conv, 1);
    return flat->supports(&planes);
}

double cc_volume_cost(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass)
{
    if (cc_conv_is_flat(conv)) return flat->cost(conv, pass);
    const int64_t together = conv_volume_most_planes(conv, pass);
    const cc_conv planes = conv_volume_planes_of(conv, together);
    return flat->cost(&planes, pass) * (double)(conv->window.d.kernel * conv->n * conv->window.d.out) /
           (double)cc_max(together, 1);
}

int64_t cc_volume_packed(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass)
{
    if (cc_conv_is_flat(conv)) return flat->packed(conv, pass);
    const cc_conv planes = conv_volume_planes_of(conv, 1);
    return conv->window.d.kernel * flat->packed(&planes, pass);
}

/* Floats of the weights of a tap of the depth. */
static int64_t conv_volume_tap_floats(const cc_conv *conv)
{
    return conv->window.h.kernel * conv->window.w.kernel * (conv->c / conv->groups) * conv->oc;
}

void cc_volume_pack(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w,
                    const cc_team *team)
{
    const cc_conv planes = cc_conv_is_flat(conv) ? *conv : conv_volume_planes_of(conv, 1);
    const int64_t panels = flat->packed(&planes, pass);
    for (int64_t t = 0; t < conv->window.d.kernel; ++t)
        flat->pack(&planes, pass, packed + t * panels, w + t * conv_volume_tap_floats(conv), team);
}

bool cc_volume_packs_on_the_fly(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, int nth)
{
    return cc_conv_is_flat(conv) && flat->packs_on_the_fly && flat->packs_on_the_fly(conv, pass, nth);
}

/* The place of a term of a weight gradient, whole cache lines. */
static int64_t conv_volume_term_floats(const cc_conv *conv)
{
    return (conv_volume_tap_floats(conv) + 15) / 16 * 16;
}

/* A weight gradient has a place for the terms but the first, too. */
int64_t cc_volume_scratch(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, int nth)
{
    const bool whole = cc_conv_is_flat(conv);
    const cc_conv planes = whole ? *conv : conv_volume_planes_of(conv, conv_volume_most_planes(conv, pass));
    const int64_t term = !whole && pass == CC_CONV_WEIGHT_GRADIENT ? conv_volume_term_floats(conv) : 0;
    return term + (flat->scratch ? flat->scratch(&planes, pass, nth) : 0);
}

/* ---- Images from images ---- */

/* The plane that is read for plane i of what is made by tap t of the depth, or -1. */
static int64_t conv_volume_plane_read(const cc_axis *d, cc_conv_pass pass, int64_t i, int64_t t)
{
    const int64_t at = pass == CC_CONV_FORWARD ? i * d->stride - d->before + d->dilation * t : i + d->before - d->dilation * t;
    if (pass == CC_CONV_FORWARD) return at >= 0 && at < d->in ? at : -1;
    return at >= 0 && at % d->stride == 0 && at / d->stride < d->out ? at / d->stride : -1;
}

/* The first plane after i that does not go with it. */
static int64_t conv_volume_next_planes(const cc_axis *d, cc_conv_pass pass, int64_t i, int64_t count)
{
    if (d->stride > 1) return i + 1;
    for (int64_t next = i + 1; next < count; ++next)
        for (int64_t t = 0; t < d->kernel; ++t)
            if ((conv_volume_plane_read(d, pass, next, t) < 0) != (conv_volume_plane_read(d, pass, i, t) < 0)) return next;
    return count;
}

/* What no tap reads: there the sum is empty. */
static void conv_volume_fill_planes(float *to, int64_t pixels, int64_t channels, const cc_epilogue *epilogue,
                                    const cc_team *team)
{
    const cc_range mine = cc_slice(team, pixels, 1 + 4096 / (channels + 1));
    for (int64_t p = mine.begin; p < mine.end; ++p) {
        float *y = to + p * channels;
        if (!epilogue->accumulate) memset(y, 0, (size_t)channels * sizeof *y);
        for (int64_t c = 0; epilogue->bias && c < channels; ++c) y[c] += epilogue->bias[c];
        cc_act_forward(epilogue->act, epilogue->alpha, y, y, channels);
    }
}

void cc_volume_images(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, float *to, const float *from,
                      const float *w, const float *packed, const cc_epilogue *epilogue, float *scratch, const cc_team *team)
{
    const bool forward = pass == CC_CONV_FORWARD;
    cc_conv_images *images = forward ? flat->forward : flat->input_gradient;
    if (cc_conv_is_flat(conv)) {
        images(conv, to, from, w, packed, epilogue, scratch, team);
        return;
    }
    const cc_axis *d = &conv->window.d, *h = &conv->window.h, *width = &conv->window.w;
    const int64_t in = h->in * width->in * conv->c, out = h->out * width->out * conv->oc;
    const int64_t count = forward ? d->out : d->in, limit = forward ? d->in : d->out, channels = forward ? conv->oc : conv->c;
    const int64_t made = forward ? out : in, read = forward ? in : out;
    const cc_conv one = conv_volume_planes_of(conv, 1);
    const int64_t panels = flat->packed(&one, pass);
    for (int64_t n = 0; n < conv->n; ++n)
        for (int64_t i = 0, next; i < count; i = next) {
            next = conv_volume_next_planes(d, pass, i, count);
            const cc_conv planes = conv_volume_planes_of(conv, next - i);
            float *y = to + (n * count + i) * made;
            bool accumulate = epilogue->accumulate;
            int64_t last = d->kernel - 1;
            while (last >= 0 && conv_volume_plane_read(d, pass, i, last) < 0) --last;
            if (last < 0 && channels > 0) conv_volume_fill_planes(y, (next - i) * made / channels, channels, epilogue, team);
            for (int64_t t = 0; t <= last; ++t) {
                const int64_t plane = conv_volume_plane_read(d, pass, i, t);
                if (plane < 0) continue;
                const cc_epilogue term = {.bias = t == last ? epilogue->bias : NULL,
                                          .act = t == last ? epilogue->act : CC_ACT_LINEAR,
                                          .alpha = epilogue->alpha,
                                          .accumulate = accumulate};
                images(&planes, y, from + (n * limit + plane) * read, w + t * conv_volume_tap_floats(conv), packed + t * panels,
                       &term, scratch, team);
                accumulate = true;
                cc_barrier_wait(team); /* the next term adds to what others have written, and takes the scratch */
            }
        }
}

/* ---- Weights ---- */

void cc_volume_weight_gradient(const cc_conv_algorithm *flat, const cc_conv *conv, float *dw, const float *x, const float *dy,
                               float *scratch, const cc_team *team)
{
    if (cc_conv_is_flat(conv)) {
        flat->weight_gradient(conv, dw, x, dy, scratch, team);
        return;
    }
    const cc_axis *d = &conv->window.d, *h = &conv->window.h, *width = &conv->window.w;
    const int64_t in = h->in * width->in * conv->c, out = h->out * width->out * conv->oc, tap = conv_volume_tap_floats(conv);
    const cc_range mine = cc_slice(team, tap, 4096);
    float *term = scratch;
    for (int64_t t = 0; t < d->kernel; ++t) {
        float *sum = dw + t * tap;
        int64_t begin, end;
        cc_axis_inside(d, t, &begin, &end);
        const int64_t together = d->stride > 1 ? 1 : end - begin;
        const cc_conv planes = conv_volume_planes_of(conv, together);
        if ((begin >= end || conv->n == 0) && mine.begin < mine.end)
            memset(sum + mine.begin, 0, (size_t)(mine.end - mine.begin) * sizeof *sum);
        for (int64_t n = 0; n < conv->n; ++n)
            for (int64_t o = begin; o < end; o += together) {
                const bool first = n == 0 && o == begin;
                const float *from = x + (n * d->in + o * d->stride - d->before + d->dilation * t) * in;
                flat->weight_gradient(&planes, first ? sum : term, from, dy + (n * d->out + o) * out,
                                      scratch + conv_volume_term_floats(conv), team);
                cc_barrier_wait(team);
                if (first) continue;
                if (mine.begin < mine.end)
                    cc_kernels_get()->elementwise.add(sum + mine.begin, term + mine.begin, mine.end - mine.begin);
                cc_barrier_wait(team);
            }
    }
}
