/* The kernels in plain C, for any CPU. */
#include "kernels/simd_portable.h"

#define ISA_NAME "portable"
#include "kernels/isa_table.inc.h"

const cc_kernels *const cc_kernels_portable = &kernels;
