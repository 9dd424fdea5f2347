/* What the rules of rewriting work on.
 *
 * Joining makes the new graph node by node in the order of the old one. A rule looks at an old node and at what already stands
 * for its inputs, and returns the new node that stands for it, or 0 where its pattern does not fit. A new node that ends a
 * pattern stands for all of it, so numbers keep their order; what was joined stays behind as a node that nobody reads, which
 * plans leave out. */
#ifndef CC_RULES_H
#define CC_RULES_H

#include "graph/rewrite/rewrite.h"

typedef struct cc_rewriting {
    const cconv_graph *from;
    cconv_graph *to;
    const cc_rewrite_options *options;
    int *numbers;    /* of the nodes in `to` */
    int *stands_for; /* stands_for[i]: i is left out, and this node of `from` is read instead; 0: not left out */
    int *readers;    /* how many inputs lead to each node of `from` */
    bool *kept;      /* the caller sees it, */
    bool *wrt;       /* its gradient */
} cc_rewriting;

typedef int cc_rewrite_rule(cc_rewriting *r, int i);

/* Tried in this order; they end with NULL. */
extern cc_rewrite_rule *const cc_fold_rules[], *const cc_fuse_rules[];

/* A graph in which transposes stand further out and fewer are left, and in numbers[i] (count + 1 entries) the node that holds
 * the value of the old node i. NULL if it would not have fewer; *status says whether there was memory. */
cconv_graph *cc_graph_move_transposes(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers,
                                      cconv_status *status);

static inline const cc_node *cc_old_node(const cc_rewriting *r, int i)
{
    return cc_graph_node(r->from, i);
}

static inline const cc_node *cc_new_node(const cc_rewriting *r, int number)
{
    return cc_graph_node(r->to, number);
}

/* The new node that holds input k of the old node i. */
static inline int cc_new_input(const cc_rewriting *r, int i, int k)
{
    return r->numbers[cc_old_node(r, i)->inputs[k]];
}

static inline bool cc_node_is(const cc_node *node, const cc_op *op)
{
    return node->kind == CC_COMPUTED && node->op == op;
}

/* The attributes of a node just made, to be changed. */
static inline void *cc_new_attributes(cc_rewriting *r, int number)
{
    return r->to->nodes[number - 1].attributes;
}

/* The old node that is read where i is: past nodes that were left out. */
int cc_rewrite_resolve(const cc_rewriting *r, int i);

/* The new node that computes input k of the old node i, if i may take it in: nobody else reads it or sees it. Else 0. */
int cc_rewrite_absorbable(const cc_rewriting *r, int i, int k);
int cc_rewrite_absorbable_node(const cc_rewriting *r, int x); /* the same of an old node, which was resolved */

/* A copy of a new node with other inputs, named after both it and the old node i that it takes in. 0 without memory. */
int cc_rewrite_join(cc_rewriting *r, int number, int i, int n_inputs, const int *inputs);

/* A copy of the old node i with these inputs. 0 without memory. */
int cc_rewrite_copy(cc_rewriting *r, int i, const int *inputs);

/* Where a computed node keeps its activation, a choice of *choices (which may be NULL); NULL if its op has none. */
int *cc_activation_of(const cc_node *node, const char **choices);

/* The number that an activation has among the choices of a node's; -1: it cannot compute it. */
int cc_activation_choice(const cc_node *node, const char *activation);

/* Whether a node's activation is of that name. */
bool cc_has_activation(const cc_node *node, const char *activation);

#endif
