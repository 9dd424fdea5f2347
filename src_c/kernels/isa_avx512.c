/* The kernels for x86 with AVX-512 F, DQ, BW and VL. The only exported name is data, so that no wide instruction runs before dispatch.c
 * has looked at the CPU. Without their flags this file is a null pointer. */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include "kernels/simd_avx512.h"

#define ISA_NAME "avx512"
#include "kernels/isa_table.inc.h"

const cc_kernels *const cc_kernels_avx512 = &kernels;
#else
#include "kernels/kernels.h"

const cc_kernels *const cc_kernels_avx512 = 0;
#endif
