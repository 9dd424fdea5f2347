/* What this CPU can do and the operating system lets it. */
#ifndef CC_CPU_H
#define CC_CPU_H

enum {
#define CC_FEATURE(name, detection) CC_CPU_NUMBER_##name,
#include "kernels/levels.def"
};

enum {
#define CC_FEATURE(name, detection) CC_CPU_##name = 1 << CC_CPU_NUMBER_##name,
#include "kernels/levels.def"
};

/* A set of CC_CPU_*. */
unsigned cc_cpu_features(void);

#endif
