/* The kernels for x86 with AVX-512 F, DQ, BW and VL. The only exported name is data, so that no wide instruction runs before
 * dispatch.c has looked at the CPU. Without their flags, or CC_TARGET_AVX512 and pragmas that say the same, this file is a null
 * pointer; with CCONV_NO_AVX512, too. */
#if ((defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)) ||                      \
     defined(CC_TARGET_AVX512)) &&                                                                                             \
    !defined(CCONV_NO_AVX512)
#include "kernels/simd_avx512.h"

#include "kernels/families.inc.h"

const cc_unit *const cc_unit_avx512 = &unit;
#else
#include "kernels/kernels.h"

const cc_unit *const cc_unit_avx512 = 0;
#endif
