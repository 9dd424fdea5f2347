/* Nodes, one after the other: each is read by the reader of its operator, at once evaluated if all it reads is known. */
#include "base/alloc.h"
#include "onnx/reading.h"
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 16, MOST_OUTPUTS = 256 };

typedef struct operator_row {
    const char *name;
    bool (*read)(onnx_call *c);
    bool at_once; /* evaluated where all inputs are known */
} operator_row;

static const operator_row operators[] = {
#define ONNX_OPERATOR(name)     {#name, onnx_read_##name, true},
#define ONNX_RUN_OPERATOR(name) {#name, onnx_read_##name, false},
#include "onnx/operators.def"
    {NULL, NULL, false},
};

bool onnx_stop(onnx_reading *r, cconv_status status)
{
    if (r->status == CCONV_OK) r->status = status;
    return false;
}

void onnx_note_refusal(onnx_reading *r, const onnx_node *node, const char *why)
{
    size_t used = strlen(r->refused), room = sizeof r->refused - used;
    if (r->n_refused++ < 64 && room > 32)
        snprintf(r->refused + used, room, "%s%s of node '%s'", used ? "; " : "", why, node->name);
}

static const operator_row *find_operator(const onnx_node *node)
{
    if (node->domain[0]) return NULL;
    for (const operator_row *row = operators; row->name; ++row)
        if (strcmp(row->name, node->op) == 0) return row;
    return NULL;
}

/* Names all outputs of a node as refused. */
static bool refuse_outputs(onnx_reading *r, const onnx_node *node)
{
    for (int k = 0; k < node->n_outputs; ++k) {
        onnx_named *value = onnx_name(r, node->outputs[k]);
        if (!value) return false;
        value->refused = true;
    }
    return true;
}

/* ---- Evaluation ---------------------------------------------------------------------------------------------------------- */

/* Reads an output of a plan that was run, as an array of its own. */
static const onnx_array *take_output(onnx_reading *r, const onnx_array *array, const void *data)
{
    onnx_array *kept = onnx_new_array(r, &array->shape);
    const int64_t count = cc_shape_count(&array->shape);
    for (int64_t i = 0; kept && i < count; ++i) switch (array->shape.type) {
        case CCONV_FLOAT32: kept->floats[i] = ((const float *)data)[i]; break;
        case CCONV_INT32: kept->ints[i] = ((const int32_t *)data)[i]; break;
        default: kept->ints[i] = ((const uint8_t *)data)[i]; break;
        }
    return kept;
}

/* Runs the small graph and gives the node's outputs their elements. */
static bool evaluate(onnx_call *c, int n, const int *which)
{
    onnx_reading *r = c->r;
    int nodes[MOST_OUTPUTS];
    cconv_output outputs[MOST_OUTPUTS];
    uint64_t bytes = 0;
    for (int i = 1; i <= c->graph->count; ++i)
        if (cc_graph_node(c->graph, i)->kind == CC_COMPUTED && !onnx_may_compute(r, (uint64_t)cc_shape_count(onnx_shape(c, i))))
            return false;
    for (int i = 0; i < n; ++i) {
        nodes[i] = c->given[which[i]];
        bytes += CC_ALIGN_UP(cc_shape_bytes(onnx_shape(c, nodes[i])));
    }
    char *memory = cc_alloc(bytes + 1);
    cconv_plan *plan =
        memory
            ? cconv_plan_new(c->graph, &(cconv_plan_options){.n_outputs = n, .outputs = nodes, .threads = 1, .no_rewrite = 1})
            : NULL;
    uint64_t used = 0;
    for (int i = 0; i < n; ++i) {
        outputs[i] = (cconv_output){memory + used, onnx_shape(c, nodes[i])->type};
        used += CC_ALIGN_UP(cc_shape_bytes(onnx_shape(c, nodes[i])));
    }
    bool fine = plan && cconv_plan_run(plan, &(cconv_batch){.n = 1, .outputs = outputs}) == CCONV_OK;
    if (!fine) onnx_stop(r, cconv_last_status());
    for (int i = 0; fine && i < n; ++i) {
        onnx_named *value = onnx_name(r, c->node->outputs[which[i]]);
        const onnx_array computed = {.shape = *onnx_shape(c, nodes[i])};
        const onnx_array *known = value ? take_output(r, &computed, outputs[i].data) : NULL;
        if ((fine = known != NULL)) {
            value->known = known;
            value->type = c->types[which[i]];
        }
    }
    cconv_plan_free(plan);
    cc_free(memory);
    return fine;
}

/* Remembers that the node was left to runs. */
static bool leave(onnx_reading *r)
{
    onnx_left *left = onnx_keep(&r->model, sizeof *left);
    if (!left) return false;
    *left = (onnx_left){.serial = r->serial};
    if (r->left)
        r->last_left->next = left;
    else
        r->left = left;
    r->last_left = left;
    return true;
}

/* Whether it was in the graph that was built before. */
static bool was_left(onnx_reading *r)
{
    while (r->next_left && r->next_left->serial < r->serial) r->next_left = r->next_left->next;
    return r->next_left && r->next_left->serial == r->serial;
}

/* Reads the node into a graph of its own, which is evaluated; into the graph, if that is too much. */
static bool fold(onnx_call *c, bool (*read)(onnx_call *))
{
    int given[MOST_OUTPUTS] = {0}, which[MOST_OUTPUTS], n = 0;
    onnx_type types[MOST_OUTPUTS] = {ONNX_UNDEFINED};
    c->graph = cconv_graph_new();
    if (!c->graph) return onnx_stop(c->r, CCONV_NO_MEMORY);
    c->folding = c->r->folding = true;
    c->given = given;
    c->types = types;
    bool fine = read(c);
    for (int k = 0; fine && k < c->node->n_outputs; ++k)
        if (given[k]) which[n++] = k;
    if (fine && n) fine = evaluate(c, n, which);
    cconv_graph_free(c->graph);
    c->given = NULL;
    c->types = NULL;
    c->folding = c->r->folding = false;
    c->graph = c->r->graph;
    if (c->r->status != ONNX_TOO_MUCH) return fine;
    c->r->status = CCONV_OK;
    if (!leave(c->r)) return onnx_stop(c->r, CCONV_NO_MEMORY);
    c->failed = false;
    return read(c);
}

/* ---- Reading ------------------------------------------------------------------------------------------------------------- */

/* Looks a node's inputs up: whether all can be computed with now, or one was refused. */
static bool look_at_inputs(onnx_reading *r, const onnx_node *node, bool *foldable, bool *refused)
{
    char why[128];
    *refused = false;
    *foldable = node->n_inputs > 0;
    for (int i = 0; i < node->n_inputs; ++i) {
        if (!node->inputs[i][0]) continue;
        onnx_named *value = onnx_find(r, node->inputs[i]);
        if (!value)
            return onnx_stop(r, cc_fail(CCONV_INVALID, "%s (node '%s'): input '%s' is not computed before it", node->op,
                                        node->name, node->inputs[i]));
        value = onnx_resolve(r, value);
        if (value->missing) {
            snprintf(why, sizeof why, "output '%.64s', which is read by %s", value->name, node->op);
            onnx_note_refusal(r, node, why);
        }
        *refused |= value->refused;
        *foldable &= onnx_is_foldable(r, value);
    }
    return true;
}

/* An output that the reader has not given is refused where somebody reads it. */
static bool name_missing_outputs(onnx_reading *r, const onnx_node *node)
{
    for (int k = 0; k < node->n_outputs; ++k) {
        if (!node->outputs[k][0] || onnx_find(r, node->outputs[k])) continue;
        onnx_named *value = onnx_name(r, node->outputs[k]);
        if (!value) return false;
        value->refused = value->missing = true;
    }
    return true;
}

static bool read_node(onnx_reading *r, const onnx_node *node)
{
    bool foldable, refused;
    char why[96];
    ++r->serial;
    if (!look_at_inputs(r, node, &foldable, &refused)) return false;
    if (node->n_outputs > MOST_OUTPUTS)
        return onnx_stop(
            r, cc_fail(CCONV_UNSUPPORTED, "%s (node '%s'): more than %d outputs", node->op, node->name, MOST_OUTPUTS));
    const operator_row *operator= find_operator(node);
    if (!operator) {
        snprintf(why, sizeof why, "operator %s%s%s", node->domain, node->domain[0] ? "." : "", node->op);
        onnx_note_refusal(r, node, why);
    }
    if (!operator|| refused) return refuse_outputs(r, node);
    onnx_call c = {.r = r, .node = node, .graph = r->graph};
    r->node = node;
    const bool fine = foldable && operator->at_once && !was_left(r) ? fold(&c, operator->read) : operator->read(&c);
    if (r->status != CCONV_OK) return false;
    if (!fine || c.failed) return refuse_outputs(r, node);
    onnx_refuse_unasked(&c);
    return name_missing_outputs(r, node);
}

bool onnx_name_tensors(onnx_reading *r, const onnx_graph *graph)
{
    for (int i = 0; i < graph->n_initializers; ++i) {
        const onnx_tensor *tensor = &graph->initializers[i];
        onnx_named *value = onnx_name(r, tensor->name);
        if (!value) return false;
        value->tensor = tensor;
        value->type = tensor->type;
    }
    return true;
}

bool onnx_read_nodes(onnx_reading *r, const onnx_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; ++i)
        if (!read_node(r, &graph->nodes[i])) return false;
    r->node = NULL;
    return true;
}

/* ---- If ------------------------------------------------------------------------------------------------------------------ */

bool onnx_read_If(onnx_call *c)
{
    onnx_list condition;
    onnx_reading *r = c->r;
    if (!onnx_known(c, 0)) return onnx_refuse(c, "a condition that depends on the input");
    if (!onnx_known_ints(c, 0, &condition) || condition.n != 1) return onnx_damaged(c, "expected one condition");
    const char *name = condition.v[0] ? "then_branch" : "else_branch";
    onnx_graph *branch = onnx_keep(&r->model, sizeof *branch);
    if (!branch) return onnx_stop(r, CCONV_NO_MEMORY);
    onnx_bytes message;
    onnx_ignore(c, condition.v[0] ? "else_branch" : "then_branch");
    if (!onnx_message_attribute(c, name, &message)) return onnx_damaged(c, "it has no %s", name);
    if (r->depth == DEEPEST) return onnx_refuse(c, "branches more than 16 deep");
    if (onnx_graph_parse(&r->model, message, branch) != CCONV_OK) return onnx_stop(r, cconv_last_status());
    if (branch->n_outputs != c->node->n_outputs) return onnx_damaged(c, "its branch has other outputs");
    ++r->depth;
    bool fine = onnx_name_tensors(r, branch) && onnx_read_nodes(r, branch);
    --r->depth;
    for (int k = 0; fine && k < branch->n_outputs; ++k) {
        onnx_named *from = onnx_find(r, branch->outputs[k].name);
        if (!from) return onnx_damaged(c, "its branch does not compute '%s'", branch->outputs[k].name);
        const int number = (int)(from - r->values) + 1;
        const onnx_type type = from->type;
        onnx_named *to = onnx_name(r, c->node->outputs[k]);
        if (!(fine = to != NULL)) break;
        to->same_as = number;
        to->type = type;
    }
    return fine;
}
