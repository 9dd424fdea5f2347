/* Every family over one vocabulary, as `unit`. Included by isa_*.c after its vocabulary. */
#include "kernels/kernels.h"

#include "kernels/blend/blend.inc.h"
#include "kernels/depthwise/depthwise.inc.h"
#include "kernels/elementwise/elementwise.inc.h"
#include "kernels/gemm/gemm.inc.h"
#include "kernels/grouped/grouped.inc.h"
#include "kernels/norm/norm.inc.h"
#include "kernels/planar/planar.inc.h"
#include "kernels/pool/pool.inc.h"
#include "kernels/random/normal.inc.h"
#include "kernels/transpose/transpose.inc.h"
#include "kernels/winograd/winograd.inc.h"

static const cc_unit unit = {
#define CC_MEMBER(family) .family = &family##_kernels,
    CC_EACH_FAMILY(CC_MEMBER)
#undef CC_MEMBER
};
