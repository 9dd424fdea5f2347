/* The kernels for x86 with AVX2 and FMA. The only exported name is data, so that no wide instruction runs before dispatch.c has
 * looked at the CPU. Without -mavx2 -mfma, or CC_TARGET_AVX2 and pragmas that say the same, this file is a null pointer; with
 * CCONV_NO_AVX2, too. */
#if ((defined(__AVX2__) && defined(__FMA__)) || defined(CC_TARGET_AVX2)) && !defined(CCONV_NO_AVX2)
#include "kernels/simd_avx2.h"

#include "kernels/families.inc.h"

const cc_unit *const cc_unit_avx2 = &unit;
#else
#include "kernels/kernels.h"

const cc_unit *const cc_unit_avx2 = 0;
#endif
