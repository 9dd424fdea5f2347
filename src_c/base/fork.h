/* Whether this process is the fork of one whose OpenMP threads it has not. */
#ifndef CC_BASE_FORK_H
#define CC_BASE_FORK_H

#include <stdbool.h>

bool cc_forked(void);

#endif
