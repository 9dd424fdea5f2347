/* Every kernel of one instruction set, as the table `kernels`. Included by isa_*.c after its vocabulary, with ISA_NAME defined. */
#include "kernels/kernels.h"

#include "kernels/gemm_tile.inc.h"
#include "kernels/vector.inc.h"
#include "kernels/activation.inc.h"

#include "kernels/grouped.inc.h"
#include "kernels/norm.inc.h"
#include "kernels/depthwise.inc.h"
#include "kernels/pool.inc.h"
#include "kernels/random.inc.h"
#include "kernels/winograd.inc.h"

static const cc_kernels kernels = {
    .name = ISA_NAME,
    .mr = MR,
    .nr = NR,
    .gemm_tile = gemm_tile,
    .outer_tile = outer_tile,
    .pack_rows = pack_rows,
    .pack_transposed = pack_transposed,
    .grouped_pixels = GROUPED_PIXELS,
    .grouped_tile = grouped_tile,
    .grouped_outer = grouped_outer,
    .grouped_copy = grouped_copy,
    .winograd_2 = &winograd_2,
    .winograd_4 = &winograd_4,
    .act_forward = act_forward,
    .act_backward = act_backward,
    .exp = vector_exp,
    .add = vector_add,
    .add_rows = vector_add_rows,
    .add_windows = vector_add_windows,
    .norm_moments = norm_moments,
    .norm_forward = norm_forward,
    .norm_sums = norm_sums,
    .norm_backward = norm_backward,
    .depthwise_row = depthwise_row,
    .depthwise_weights = depthwise_weights,
    .dropout = dropout,
    .pool_max = pool_max,
    .pool_sum = pool_sum,
    .pool_max_backward = pool_max_backward,
    .pool_sum_backward = pool_sum_backward,
};
