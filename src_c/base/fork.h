/* Whether this process is the fork of one whose OpenMP threads it has not, and of how many such. */
#ifndef CC_BASE_FORK_H
#define CC_BASE_FORK_H

#include <stdbool.h>

/* How many forks have led to this process since the library was loaded; one more if that was in a fork. */
unsigned cc_forks(void);

static inline bool cc_forked(void)
{
    return cc_forks() > 0;
}

#endif
