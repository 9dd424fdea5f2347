/* Volumes by algorithms of images. Every tap of the depth of a kernel (kd, kh, kw) is a convolution of planes:
 *
 *     y[o] = sum over t of conv2d(x[o sd - pd + dd t], w[t])
 *     dx[i] = sum of conv2d's input gradient of dy[o], w[t] over the t, o with o sd - pd + dd t = i
 *     dw[t] = sum over the o that see a plane of conv2d's weight gradient of x[o sd - pd + dd t], dy[o]
 *
 * The first term is written where the sum is to stand, the others are added to it; the last brings bias and activation. With stride
 * 1 neighbouring planes that see the same taps go together, as a batch. */
#ifndef CC_CONV_VOLUME_H
#define CC_CONV_VOLUME_H

#include "algos/conv/conv.h"

bool cc_volume_supports(const cc_conv_algorithm *flat, const cc_conv *conv);
double cc_volume_cost(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass);
int64_t cc_volume_packed(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass);
void cc_volume_pack(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w,
                    const cc_team *team);
bool cc_volume_packs_on_the_fly(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, int nth);
int64_t cc_volume_scratch(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, int nth);
void cc_volume_images(const cc_conv_algorithm *flat, const cc_conv *conv, cc_conv_pass pass, float *to, const float *from,
                      const float *w, const float *packed, const cc_epilogue *epilogue, float *scratch, const cc_team *team);
void cc_volume_weight_gradient(const cc_conv_algorithm *flat, const cc_conv *conv, float *dw, const float *x, const float *dy,
                               float *scratch, const cc_team *team);

/* Defines cc_conv_<name>, which does images as the table `flat` does, and volumes by it. The table must say that it accumulates;
 * rereads, rows and pitch: its rereads_weights, by_rows and pitched. */
#define CC_CONV_WITH_VOLUMES(name_, flat, rereads, rows, pitch)                                                                \
    static bool conv_##name_##_volume_supports(const cc_conv *conv)                                                            \
    {                                                                                                                          \
        return cc_volume_supports(&flat, conv);                                                                                \
    }                                                                                                                          \
    static double conv_##name_##_volume_cost(const cc_conv *conv, cc_conv_pass pass)                                           \
    {                                                                                                                          \
        return cc_volume_cost(&flat, conv, pass);                                                                              \
    }                                                                                                                          \
    static int64_t conv_##name_##_volume_packed(const cc_conv *conv, cc_conv_pass pass)                                        \
    {                                                                                                                          \
        return cc_volume_packed(&flat, conv, pass);                                                                            \
    }                                                                                                                          \
    static void conv_##name_##_volume_pack(const cc_conv *conv, cc_conv_pass pass, float *packed, const float *w,              \
                                           const cc_team *team)                                                                \
    {                                                                                                                          \
        cc_volume_pack(&flat, conv, pass, packed, w, team);                                                                    \
    }                                                                                                                          \
    static bool conv_##name_##_volume_packs_on_the_fly(const cc_conv *conv, cc_conv_pass pass, int nth)                        \
    {                                                                                                                          \
        return cc_volume_packs_on_the_fly(&flat, conv, pass, nth);                                                             \
    }                                                                                                                          \
    static int64_t conv_##name_##_volume_scratch(const cc_conv *conv, cc_conv_pass pass, int nth)                              \
    {                                                                                                                          \
        return cc_volume_scratch(&flat, conv, pass, nth);                                                                      \
    }                                                                                                                          \
    static void conv_##name_##_volume_forward(const cc_conv *conv, float *y, const float *x, const float *w,                   \
                                              const float *packed, const cc_epilogue *epilogue, float *scratch,                \
                                              const cc_team *team)                                                             \
    {                                                                                                                          \
        cc_volume_images(&flat, conv, CC_CONV_FORWARD, y, x, w, packed, epilogue, scratch, team);                              \
    }                                                                                                                          \
    static void conv_##name_##_volume_input_gradient(const cc_conv *conv, float *dx, const float *dy, const float *w,          \
                                                     const float *packed, const cc_epilogue *epilogue, float *scratch,         \
                                                     const cc_team *team)                                                      \
    {                                                                                                                          \
        cc_volume_images(&flat, conv, CC_CONV_INPUT_GRADIENT, dx, dy, w, packed, epilogue, scratch, team);                     \
    }                                                                                                                          \
    static void conv_##name_##_volume_weight_gradient(const cc_conv *conv, float *dw, const float *x, const float *dy,         \
                                                      float *scratch, const cc_team *team)                                     \
    {                                                                                                                          \
        cc_volume_weight_gradient(&flat, conv, dw, x, dy, scratch, team);                                                      \
    }                                                                                                                          \
    const cc_conv_algorithm cc_conv_##name_ = {                                                                                \
        .name = #name_,                                                                                                        \
        .supports = conv_##name_##_volume_supports,                                                                            \
        .cost = conv_##name_##_volume_cost,                                                                                    \
        .packed = conv_##name_##_volume_packed,                                                                                \
        .pack = conv_##name_##_volume_pack,                                                                                    \
        .packs_on_the_fly = conv_##name_##_volume_packs_on_the_fly,                                                            \
        .accumulates = true,                                                                                                   \
        .rereads_weights = rereads,                                                                                            \
        .by_rows = rows,                                                                                                       \
        .pitched = pitch,                                                                                                      \
        .scratch = conv_##name_##_volume_scratch,                                                                              \
        .forward = conv_##name_##_volume_forward,                                                                              \
        .input_gradient = conv_##name_##_volume_input_gradient,                                                                \
        .weight_gradient = conv_##name_##_volume_weight_gradient,                                                              \
    }

#endif
