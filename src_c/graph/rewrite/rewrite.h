/* Rewriting: a plan works on a copy of the caller's graph in which several nodes are joined into one that does the same in
 * fewer passes over the data. */
#ifndef CC_REWRITE_H
#define CC_REWRITE_H

#include "graph/graph.h"

/* What a plan asks of a graph, as far as rewriting must know. */
typedef struct cc_rewrite_options {
    bool training;
    int root; /* 0: nothing is differentiated */
    int n_outputs, n_wrt;
    const int *outputs, *wrt;
} cc_rewrite_options;

/* A graph that gives the same values and gradients, and in numbers[i] (count + 1 entries) the node that holds the value of the
 * caller's node i there. A node that is an output, the root or in wrt, or has several readers, is never joined into another.
 * NULL without memory. */
cconv_graph *cc_graph_rewrite(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers);

#endif
