/* Orders of axes: which ones values are held in, and which ones their readers would like. See write.h. */
#include "onnx/saver.h"
#include "ops/axes.h"
#include "ops/batch_norm.h"
#include "ops/infer.h"
#include <string.h>

/* ---- Orders ------------------------------------------------------------------------------------------------------- */

save_order save_same_order(int rank)
{
    save_order o = {.rank = rank};
    for (int k = 0; k < rank; ++k) o.axis[k] = k;
    return o;
}

save_order save_with_axis_second(int rank, int axis)
{
    save_order o = save_same_order(rank);
    if (axis < 1) return o;
    for (int k = axis; k > 1; --k) o.axis[k] = k - 1;
    o.axis[1] = axis;
    return o;
}

save_order save_images(int rank)
{
    return save_with_axis_second(rank, rank - 1);
}

bool save_orders_equal(const save_order *a, const save_order *b)
{
    return a->rank == b->rank && (a->rank <= 0 || memcmp(a->axis, b->axis, (size_t)a->rank * sizeof *a->axis) == 0);
}

static bool is_same(const save_order *o)
{
    for (int k = 0; k < o->rank; ++k)
        if (o->axis[k] != k) return false;
    return true;
}

int save_position(const save_order *o, int64_t axis)
{
    if (axis < 0) axis += o->rank;
    for (int k = 0; k < o->rank; ++k)
        if (o->axis[k] == axis) return k;
    return 0;
}

save_order save_without(const save_order *o, unsigned dropped)
{
    save_order left = {.rank = 0};
    for (int k = 0; k < o->rank; ++k) {
        if (dropped >> o->axis[k] & 1u) continue;
        int axis = 0;
        for (int j = 0; j < o->axis[k]; ++j) axis += !(dropped >> j & 1u);
        left.axis[left.rank++] = axis;
    }
    return left;
}

cc_shape save_held_shape(const cc_shape *shape, const save_order *o)
{
    cc_shape held = {.rank = o->rank, .type = shape->type};
    const int ahead = o->rank - shape->rank;
    for (int k = 0; k < o->rank; ++k) held.dim[k] = o->axis[k] < ahead ? 1 : shape->dim[o->axis[k] - ahead];
    return held;
}

bool save_moves_nothing(const cc_shape *shape, const save_order *o)
{
    int last = -1;
    for (int k = 0; k < o->rank; ++k) {
        if (shape->dim[o->axis[k]] == 1) continue;
        if (o->axis[k] < last) return false;
        last = o->axis[k];
    }
    return true;
}

/* What is held in order `from`, in order `to`: axis k of it is axis of_it.axis[k] of what is held. */
static save_order between(const save_order *from, const save_order *to)
{
    save_order of_it = {.rank = to->rank};
    for (int k = 0; k < to->rank; ++k) of_it.axis[k] = save_position(from, to->axis[k]);
    return of_it;
}

/* ---- Forms -------------------------------------------------------------------------------------------------------- */

static save_held_value *form_at(const saver *s, int i)
{
    return i ? (save_held_value *)s->forms.items + (i - 1) : NULL;
}

const save_held_value *save_first_form(const saver *s, int node)
{
    return form_at(s, s->first_form[node]);
}

static const save_held_value *find_form(const saver *s, int node, const save_order *o)
{
    for (const save_held_value *form = save_first_form(s, node); form; form = form_at(s, form->next))
        if (save_orders_equal(&form->order, o)) return form;
    return NULL;
}

void save_add_form(saver *s, int node, const save_order *o, int value)
{
    save_held_value *form = save_grow(s, &s->forms, 1, sizeof *form);
    if (!form) return;
    *form = (save_held_value){.order = *o, .value = value};
    const int number = (int)s->forms.n;
    if (s->first_form[node])
        form_at(s, s->last_form[node])->next = number;
    else
        s->first_form[node] = number;
    s->last_form[node] = number;
}

int save_initializer_of(const saver *s, int number)
{
    for (;;) {
        const cc_node *node = cc_graph_node(s->graph, number);
        if (node->kind == CC_VARIABLE || node->kind == CC_CONSTANT) return number;
        if (node->kind != CC_COMPUTED || (node->op != &cc_op_reshape && node->op != &cc_op_flatten &&
                                          node->op != &cc_op_expand_dims && node->op != &cc_op_squeeze))
            return 0;
        number = node->inputs[0];
    }
}

static bool is_initializer(const save_call *c, int k)
{
    return save_initializer_of(c->s, c->node->inputs[k]) != 0;
}

/* The sizes for a Reshape to this shape, where axis k is axis of_it[k] of what is reshaped. False if they cannot be told. */
static bool reshape_sizes(const cc_shape *to, const save_order *of_it, int64_t *sizes)
{
    int rest = 0;
    for (int k = 0; k < to->rank; ++k) {
        sizes[k] = to->dim[k];
        if (to->dim[k] == 0) return false;
        if (to->dim[k] > 0) continue;
        if (of_it->axis[k] == k)
            sizes[k] = 0;
        else if (++rest > 1)
            return false;
    }
    return true;
}

/* Value x, of this shape, with its axes in another order: a Reshape where only axes of size 1 move. */
static int rearranged(save_call *c, int x, const cc_shape *shape, const save_order *of_it)
{
    int64_t sizes[CCONV_MAX_RANK], axes[CCONV_MAX_RANK];
    const cc_shape to = save_held_shape(shape, of_it);
    if (save_moves_nothing(shape, of_it) && reshape_sizes(&to, of_it, sizes)) return save_reshape(c, x, to.rank, sizes);
    for (int k = 0; k < of_it->rank; ++k) axes[k] = of_it->axis[k];
    return save_transpose(c, x, of_it->rank, axes);
}

int save_node_form(save_call *c, int number, const save_order *o)
{
    saver *s = c->s;
    const cc_node *node = cc_graph_node(s->graph, number);
    const save_held_value *found = find_form(s, number, o);
    if (s->status != CCONV_OK) return 0;
    if (found) return found->value;
    const int owner = s->owner, ahead = o->rank - node->shape.rank, initializer = save_initializer_of(s, number);
    int value = 0;
    s->owner = initializer ? initializer : number;
    if (initializer) {
        save_tensor tensor = {.type = save_dtype(node->shape.type), .shape = &node->shape, .order = *o};
        tensor.variable = cc_graph_node(s->graph, initializer)->variable;
        const cc_shape held = save_held_shape(&node->shape, o);
        tensor.rank = held.rank;
        memcpy(tensor.dim, held.dim, sizeof tensor.dim);
        value = save_new_tensor(s, &tensor);
    } else if (ahead > 0) { /* its own axes in their order, then those of size 1 among them */
        save_order own = {.rank = 0};
        int64_t added[CCONV_MAX_RANK];
        int n = 0;
        for (int k = 0; k < o->rank; ++k)
            if (o->axis[k] >= ahead)
                own.axis[own.rank++] = o->axis[k] - ahead;
            else
                added[n++] = k;
        const int x = save_node_form(c, number, &own);
        value = save_add2(c, "Unsqueeze", x, save_ints(c, n, added));
    } else {
        const save_held_value *held = save_first_form(s, number);
        if (held) {
            const save_order of_it = between(&held->order, o);
            const cc_shape shape = save_held_shape(&node->shape, &held->order);
            value = rearranged(c, held->value, &shape, &of_it);
        }
    }
    s->owner = owner;
    save_add_form(s, number, o, value);
    return value;
}

int save_form(save_call *c, int k, const save_order *o)
{
    return save_has(c, k) ? save_node_form(c, c->node->inputs[k], o) : 0;
}

int save_input(save_call *c, int k)
{
    if (!save_has(c, k)) return 0;
    const save_order same = save_same_order(save_shape(c, k)->rank);
    return save_form(c, k, &same);
}

save_order save_held(save_call *c, int k)
{
    const save_held_value *form = save_first_form(c->s, c->node->inputs[k]);
    const save_order same = save_same_order(save_shape(c, k)->rank);
    return form && !is_initializer(c, k) ? form->order : same;
}

/* Whether ONNX's broadcasting does it: it puts axes of size 1 in front. */
static bool broadcasts_as_is(int rank, const save_order *o)
{
    return rank == 0 || (rank < o->rank && is_same(o));
}

int save_brought(save_call *c, int k, const save_order *o)
{
    if (!save_has(c, k)) return 0;
    return broadcasts_as_is(save_shape(c, k)->rank, o) ? save_input(c, k) : save_form(c, k, o);
}

int save_row_major(save_call *c, int k)
{
    const save_order held = save_held(c, k);
    return save_moves_nothing(save_shape(c, k), &held) ? save_form(c, k, &held) : save_input(c, k);
}

/* ---- The order to compute in -------------------------------------------------------------------------------------- */

/* Whether input k of an op that does not mind has the axes of its output. */
static bool is_carried(const cc_node *node, int k)
{
    if (k >= node->n_inputs || !node->inputs[k]) return false;
    return k == 0 || (node->op->flags & CC_ELEMENTWISE) || node->op == &cc_op_concatenate || k == node->op->residual;
}

/* How many Transposes it takes to bring input k into an order. */
static int cost_of(save_call *c, int k, const save_order *o)
{
    const cc_node *node = save_source(c, k);
    const int rank = node->shape.rank, ahead = o->rank - rank;
    if (is_initializer(c, k) || find_form(c->s, c->node->inputs[k], o)) return 0;
    save_order own = {.rank = 0};
    if (broadcasts_as_is(rank, o)) own = save_same_order(rank);
    for (int j = 0; own.rank < rank && j < o->rank; ++j)
        if (o->axis[j] >= ahead) own.axis[own.rank++] = o->axis[j] - ahead;
    if (find_form(c->s, c->node->inputs[k], &own)) return 0;
    const save_order held = save_held(c, k), of_it = between(&held, &own);
    const cc_shape shape = save_held_shape(&node->shape, &held);
    return !save_moves_nothing(&shape, &of_it);
}

save_order save_common_order(save_call *c)
{
    const cc_node *node = c->node;
    const int rank = node->op->flags & CC_ELEMENTWISE ? node->shape.rank : save_shape(c, 0)->rank;
    enum { FEW = 8 };
    save_order tried[FEW + 2], best;
    int n = 0, least = -1;
    if (c->s->wishes[c->number].rank == rank) tried[n++] = c->s->wishes[c->number];
    for (int k = 0; k < node->n_inputs && n < FEW; ++k)
        if (is_carried(node, k) && save_shape(c, k)->rank == rank && !is_initializer(c, k)) tried[n++] = save_held(c, k);
    tried[n++] = save_same_order(rank);
    best = tried[0];
    for (int i = 0; i < n; ++i) {
        int cost = 0;
        for (int k = 0; k < node->n_inputs; ++k) cost += is_carried(node, k) ? cost_of(c, k, &tried[i]) : 0;
        if (least >= 0 && cost >= least) continue;
        least = cost;
        best = tried[i];
    }
    return best;
}

/* ---- What readers would like -------------------------------------------------------------------------------------- */

static void wish(saver *s, int node, const save_order *o)
{
    if (node && s->wishes[node].rank < 0 && cc_graph_node(s->graph, node)->shape.rank == o->rank) s->wishes[node] = *o;
}

static bool minds_as_images(const cc_op *op)
{
    return op == &cc_op_conv || op == &cc_op_conv_transpose || op == &cc_op_max_pool || op == &cc_op_avg_pool ||
           op == &cc_op_sum_pool || op == &cc_op_l2_pool || op == &cc_op_adaptive_avg_pool || op == &cc_op_adaptive_max_pool ||
           op == &cc_op_global_avg_pool || op == &cc_op_global_max_pool || op == &cc_op_resize || op == &cc_op_group_norm;
}

static bool carries(const cc_op *op)
{
    return (op->flags & CC_ELEMENTWISE) || op == &cc_op_dropout || op == &cc_op_softmax || op == &cc_op_log_softmax ||
           op == &cc_op_concatenate || op == &cc_op_slice || op == &cc_op_pad || op == &cc_op_identity ||
           op == &cc_op_stop_gradient || op == &cc_op_channel_shuffle || op == &cc_op_cumsum;
}

static void wishes_of(saver *s, int number)
{
    const cc_node *node = cc_graph_node(s->graph, number);
    const save_order *own = &s->wishes[number];
    const int rank = node->n_inputs && node->inputs[0] ? cc_graph_node(s->graph, node->inputs[0])->shape.rank : 0;
    if (minds_as_images(node->op)) {
        const save_order images = save_images(rank);
        for (int k = 0; k < node->n_inputs; ++k)
            if (is_carried(node, k)) wish(s, node->inputs[k], &images);
    } else if (node->op == &cc_op_batch_norm && rank > 2) {
        const int64_t axis = ((const cc_batch_norm_attributes *)node->attributes)->axis;
        const save_order second = save_with_axis_second(rank, cc_axis_of(axis, rank));
        for (int k = 0; k < node->n_inputs; ++k)
            if (is_carried(node, k)) wish(s, node->inputs[k], &second);
    } else if (node->op == &cc_op_transpose && own->rank == rank) {
        const cc_list *axes = &((const cc_transpose_attributes *)node->attributes)->axes;
        save_order o = {.rank = rank};
        for (int k = 0; k < rank; ++k) o.axis[k] = cc_axis_of(axes->v[own->axis[k]], rank);
        wish(s, node->inputs[0], &o);
    } else if (carries(node->op) && own->rank >= 0) {
        for (int k = 0; k < node->n_inputs; ++k)
            if (is_carried(node, k)) wish(s, node->inputs[k], own);
    }
}

void save_find_wishes(saver *s)
{
    for (int i = 0; i <= s->graph->count; ++i) s->wishes[i].rank = -1;
    for (int i = s->graph->count; i >= 1; --i)
        if (s->needed[i] && cc_graph_node(s->graph, i)->kind == CC_COMPUTED) wishes_of(s, i);
}
