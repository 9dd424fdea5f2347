/* The kernels in plain C, for any CPU. */
#include "kernels/simd_portable.h"

#include "kernels/families.inc.h"

const cc_unit *const cc_unit_portable = &unit;
