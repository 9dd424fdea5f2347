/* The kernels for AArch64 with Advanced SIMD. The only exported name is data. On other targets this file is a null
 * pointer. */
#if defined(__aarch64__) && defined(__ARM_NEON)
#include "kernels/simd_neon.h"

#include "kernels/families.inc.h"

const cc_unit *const cc_unit_neon = &unit;
#else
#include "kernels/kernels.h"

const cc_unit *const cc_unit_neon = 0;
#endif
