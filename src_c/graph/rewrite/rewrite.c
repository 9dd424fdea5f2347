/* The driver of rewriting: transposes first (layout.c), then nodes are joined (fold.c, fuse.c). What is what is told by an
 * op's record and its settings, never by a name. */
#include "graph/rewrite/rules.h"
#include "base/alloc.h"
#include <stdio.h>
#include <string.h>

/* ---- What rules share --------------------------------------------------------------------------------------------- */

int cc_rewrite_resolve(const cc_rewriting *r, int i)
{
    while (r->stands_for[i]) i = r->stands_for[i];
    return i;
}

int cc_rewrite_absorbable_node(const cc_rewriting *r, int x)
{
    if (!x || r->kept[x] || r->readers[x] != 1) return 0;
    return cc_new_node(r, r->numbers[x])->kind == CC_COMPUTED ? r->numbers[x] : 0;
}

int cc_rewrite_absorbable(const cc_rewriting *r, int i, int k)
{
    return cc_rewrite_absorbable_node(r, cc_rewrite_resolve(r, cc_old_node(r, i)->inputs[k]));
}

int cc_rewrite_join(cc_rewriting *r, int number, int i, int n_inputs, const int *inputs)
{
    char name[200];
    cc_node node = *cc_new_node(r, number);
    const char *taken = cc_old_node(r, i)->name;
    snprintf(name, sizeof name, "%s+%s", node.name, taken);
    node.n_inputs = n_inputs;
    node.inputs = (int *)(uintptr_t)inputs;
    return cc_graph_copy(r->to, &node, strcmp(node.name, taken) ? name : taken); /* one layer's nodes have one name */
}

int cc_rewrite_copy(cc_rewriting *r, int i, const int *inputs)
{
    cc_node node = *cc_old_node(r, i);
    node.inputs = (int *)(uintptr_t)inputs;
    return cc_graph_copy(r->to, &node, node.name);
}

int *cc_activation_of(const cc_node *node, const char **choices)
{
    for (const cc_attr *a = node->kind == CC_COMPUTED ? node->op->attributes : NULL; a && a->name; ++a) {
        if (a->type != CC_ENUM || strcmp(a->name, "activation")) continue;
        if (choices) *choices = a->choices;
        return (int *)(void *)((char *)node->attributes + a->offset);
    }
    return NULL;
}

int cc_activation_choice(const cc_node *node, const char *activation)
{
    const char *choices;
    char text[32];
    if (!cc_activation_of(node, &choices)) return -1;
    for (int i = 0;; ++i) {
        cc_choice_name(choices, i, text);
        if (!text[0]) return -1;
        if (strcmp(text, activation) == 0) return i;
    }
}

bool cc_has_activation(const cc_node *node, const char *activation)
{
    const int *at = cc_activation_of(node, NULL);
    return at && *at == cc_activation_choice(node, activation);
}

/* ---- The whole graph ---------------------------------------------------------------------------------------------- */

static int copy_unchanged(cc_rewriting *r, int i)
{
    const cc_node *node = cc_old_node(r, i);
    if (node->kind != CC_COMPUTED) return cc_graph_copy(r->to, node, node->name);
    int *inputs = cc_alloc((size_t)node->n_inputs * sizeof *inputs);
    if (!inputs) return 0;
    for (int k = 0; k < node->n_inputs; ++k) inputs[k] = node->inputs[k] ? cc_new_input(r, i, k) : 0;
    const int made = cc_rewrite_copy(r, i, inputs);
    cc_free(inputs);
    return made;
}

static int apply(cc_rewriting *r, cc_rewrite_rule *const *rules, int i)
{
    int number = 0;
    for (; *rules && !number && r->to->status == CCONV_OK; ++rules) number = (*rules)(r, i);
    return number;
}

static cconv_status rewrite(cc_rewriting *r)
{
    const cc_rewrite_options *options = r->options;
    for (int i = 0; i < options->n_outputs; ++i) r->kept[options->outputs[i]] = true;
    for (int i = 0; i < options->n_wrt; ++i) r->kept[options->wrt[i]] = r->wrt[options->wrt[i]] = true;
    r->kept[options->root] = true;
    for (int i = 1; i <= r->from->count; ++i)
        for (int k = 0; k < cc_old_node(r, i)->n_inputs; ++k) ++r->readers[cc_old_node(r, i)->inputs[k]];
    r->numbers[0] = 0;
    for (int i = 1; i <= r->from->count; ++i) {
        const bool computed = cc_old_node(r, i)->kind == CC_COMPUTED;
        int number = computed ? apply(r, cc_fold_rules, i) : 0;
        if (computed && !number) number = apply(r, cc_fuse_rules, i);
        if (!number) number = copy_unchanged(r, i);
        if (r->to->status != CCONV_OK || !number) return CCONV_NO_MEMORY;
        r->numbers[i] = number;
    }
    return CCONV_OK;
}

/* A graph with nodes joined; numbers as in cc_graph_rewrite. */
static cconv_graph *join(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers)
{
    const size_t nodes = (size_t)graph->count + 1;
    cc_rewriting r = {.from = graph, .options = options, .numbers = numbers, .to = cconv_graph_new()};
    r.stands_for = cc_alloc_zero(2 * nodes * sizeof *r.stands_for);
    r.readers = r.stands_for ? r.stands_for + nodes : NULL;
    r.kept = cc_alloc_zero(2 * nodes * sizeof *r.kept);
    r.wrt = r.kept ? r.kept + nodes : NULL;
    if (!r.to || !r.stands_for || !r.kept || rewrite(&r) != CCONV_OK) {
        cconv_graph_free(r.to);
        r.to = NULL;
    }
    cc_free(r.stands_for);
    cc_free(r.kept);
    return r.to;
}

/* Joins the nodes of a graph whose transposes were moved; numbers lead to its nodes, and then to those of the result. */
static cconv_graph *join_moved(const cconv_graph *graph, const cconv_graph *moved, const cc_rewrite_options *options,
                               int *numbers)
{
    const int n_outputs = options->n_outputs, n_wrt = options->n_wrt;
    int *nodes = cc_alloc((size_t)(n_outputs + n_wrt + moved->count + 1) * sizeof *nodes);
    if (!nodes) return NULL;
    int *wrt = nodes + n_outputs, *joined = wrt + n_wrt;
    for (int i = 0; i < n_outputs; ++i) nodes[i] = numbers[options->outputs[i]];
    for (int i = 0; i < n_wrt; ++i) wrt[i] = numbers[options->wrt[i]];
    const cc_rewrite_options there = {.training = options->training,
                                      .root = numbers[options->root],
                                      .n_outputs = n_outputs,
                                      .n_wrt = n_wrt,
                                      .outputs = nodes,
                                      .wrt = wrt};
    cconv_graph *to = join(moved, &there, joined);
    for (int i = 1; to && i <= graph->count; ++i) numbers[i] = joined[numbers[i]];
    cc_free(nodes);
    return to;
}

cconv_graph *cc_graph_rewrite(const cconv_graph *graph, const cc_rewrite_options *options, int *numbers)
{
    cconv_status status;
    cconv_graph *moved = cc_graph_move_transposes(graph, options, numbers, &status);
    if (status != CCONV_OK) return NULL;
    if (!moved) return join(graph, options, numbers);
    cconv_graph *to = join_moved(graph, moved, options, numbers);
    cconv_graph_free(moved);
    return to;
}
