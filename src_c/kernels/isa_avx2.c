/* The kernels for x86 with AVX2 and FMA. The only exported name is data, so that no wide instruction runs before dispatch.c has
 * looked at the CPU. Without -mavx2 -mfma this file is a null pointer. */
#if defined(__AVX2__) && defined(__FMA__)
#include "kernels/simd_avx2.h"

#define ISA_NAME "avx2"
#include "kernels/isa_table.inc.h"

const cc_kernels *const cc_kernels_avx2 = &kernels;
#else
#include "kernels/kernels.h"

const cc_kernels *const cc_kernels_avx2 = 0;
#endif
