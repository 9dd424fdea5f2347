/* Which algorithm computes a convolution: the list of them, and the cheapest by their own estimates. */
#include "algos/conv/conv.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_int winograd_allowed = 1;

int cconv_winograd(void)
{
    return atomic_load(&winograd_allowed);
}

void cconv_set_winograd(int allowed)
{
    atomic_store(&winograd_allowed, allowed != 0);
}

static const cc_conv_algorithm *const algorithms[] = {
#define ENTRY(name) &cc_conv_##name,
    CC_CONV_ALGORITHMS(ENTRY)
#undef ENTRY
        NULL,
};

const cc_conv_algorithm *cc_conv_algorithm_at(int i)
{
    return algorithms[i];
}

bool cc_conv_may_choose(const cc_conv *conv, int i)
{
    if (algorithms[i]->supports && !algorithms[i]->supports(conv)) return false;
    return algorithms[i] != &cc_conv_winograd || cconv_winograd();
}

int cc_conv_choose(const cc_conv *conv, cc_conv_pass pass)
{
    int best = 0;
    double least = -1;
    for (int i = 0; algorithms[i]; ++i) {
        if (!cc_conv_may_choose(conv, i)) continue;
        const double cost = algorithms[i]->cost(conv, pass);
        if (least >= 0 && cost >= least) continue;
        least = cost;
        best = i;
    }
    return best;
}
