/* Loading a model: its bytes, its inputs and outputs, the graph. */
#include "base/alloc.h"
#include "graph/rewrite/rules.h"
#include "onnx/reading.h"
#include <string.h>

enum { OLDEST_OPSET = 6, MOST_INPUTS = 1024 };

/* ---- Inputs -------------------------------------------------------------------------------------------------------------- */

/* What stands in place of an open size, first and second: batches of a number that stands for nothing else and is larger than what
 * models name an end or a repetition by; images of sizes that halve five times, larger than those that models name. The third of an
 * image halves never. */
static int64_t stand_in(int axis, int which)
{
    static const int64_t sizes[3][3] = {{131, 137, 139}, {1312, 1376, 1301}, {1504, 1696, 1501}};
    return axis == 0 ? sizes[0][which] : sizes[1 + axis % 2][which];
}

static const cconv_input_shape *given_shape(const cconv_onnx_options *options, const char *name, int number)
{
    for (int i = 0; options && i < options->n_shapes; ++i) {
        const char *wanted = options->shapes[i].name;
        if (wanted ? strcmp(wanted, name) == 0 : number == 0) return &options->shapes[i];
    }
    return NULL;
}

/* The shape of an input, -1 where it is open. */
static cconv_status shape_of_input(const onnx_value_info *info, const cconv_input_shape *given, cc_shape *shape)
{
    *shape = (cc_shape){.rank = given ? given->rank : info->rank};
    if (info->type == ONNX_UNDEFINED || !onnx_type_inside(info->type, &shape->type))
        return cc_fail(CCONV_UNSUPPORTED, "input '%s' is %s, which is not supported", info->name, onnx_type_name(info->type));
    if (!given && info->rank < 0)
        return cc_fail(CCONV_INVALID, "input '%s' has no shape in the file: give one when loading", info->name);
    if (given && (given->rank < 0 || given->rank > CCONV_MAX_RANK || (info->rank >= 0 && given->rank != info->rank)))
        return cc_fail(CCONV_INVALID, "input '%s': expected a shape of %d sizes, received %d", info->name, info->rank,
                       given->rank);
    for (int k = 0; k < shape->rank; ++k) {
        shape->dim[k] = given ? given->shape[k] : info->dim[k];
        if (shape->dim[k] < CC_UNKNOWN)
            return cc_fail(CCONV_INVALID, "input '%s': expected sizes of at least 0, or -1 where it is open, received %lld",
                           info->name, (long long)shape->dim[k]);
    }
    return CCONV_OK;
}

/* Adds the inputs, with stand-ins for open sizes; *open is the name of one that has some. */
static bool add_inputs(onnx_reading *r, const cconv_onnx_options *options, int which, const char **open)
{
    const onnx_graph *graph = &r->model.graph;
    int number = 0;
    for (int i = 0; i < graph->n_inputs; ++i) {
        const onnx_value_info *info = &graph->inputs[i];
        cc_shape shape;
        if (onnx_find(r, info->name)) continue; /* an initializer */
        if (number == MOST_INPUTS) return onnx_stop(r, cc_fail(CCONV_UNSUPPORTED, "more than %d inputs", MOST_INPUTS));
        const cconv_status status = shape_of_input(info, given_shape(options, info->name, number++), &shape);
        if (status != CCONV_OK) return onnx_stop(r, status);
        for (int k = 0; k < shape.rank; ++k)
            if (shape.dim[k] == CC_UNKNOWN) {
                shape.dim[k] = stand_in(k, which);
                if (k == 0 && info->rank > 0 && info->dim[0] == 1) r->opened_batch = shape.dim[0];
                *open = info->name;
            }
        onnx_named *value = onnx_name(r, info->name);
        if (!value) return false;
        value->type = info->type;
        value->node = cconv_graph_input(r->graph, info->name, shape.type, shape.rank, shape.dim);
        if (!value->node) return onnx_stop(r, cconv_last_status());
    }
    return true;
}

/* ---- One graph ----------------------------------------------------------------------------------------------------------- */

static bool add_outputs(onnx_reading *r)
{
    const onnx_graph *graph = &r->model.graph;
    for (int i = 0; i < graph->n_outputs; ++i) {
        const char *name = graph->outputs[i].name;
        onnx_named *value = onnx_find(r, name);
        if (!value || !name[0]) return onnx_stop(r, cc_fail(CCONV_INVALID, "output '%s' is not computed", name));
        value = onnx_resolve(r, value);
        if (value->missing) onnx_note_refusal(r, &(onnx_node){.name = name}, "an output");
        if (value->refused) continue;
        const int node = onnx_node_of(r, r->graph, value);
        if (!node) return false;
        const cconv_status status = cconv_graph_output(r->graph, name, node);
        if (status != CCONV_OK) return onnx_stop(r, status);
    }
    return true;
}

/* The graph with the one or the other stand-ins; *open is set if there are open sizes. */
static cconv_graph *build(onnx_reading *r, const cconv_onnx_options *options, int which, const char **open)
{
    r->n_refused = 0;
    r->computed = r->folded = 0;
    r->serial = 0;
    r->next_left = r->left;
    r->refused[0] = 0;
    r->graph = cconv_graph_new();
    if (!r->graph) onnx_stop(r, CCONV_NO_MEMORY);
    const bool fine = r->graph && onnx_name_tensors(r, &r->model.graph) && add_inputs(r, options, which, open) &&
                      onnx_read_nodes(r, &r->model.graph) && add_outputs(r);
    onnx_forget_names(r);
    if (fine && r->n_refused == 0) return r->graph;
    if (fine)
        onnx_stop(r, cc_fail(CCONV_UNSUPPORTED, "the model has what is not supported: %s%s", r->refused,
                             r->n_refused > 64 ? " ..." : ""));
    else if (*open && cconv_last_status() == CCONV_INVALID)
        cc_fail(CCONV_INVALID, "%s; the file leaves sizes of input '%s' open: give the sizes of the inputs when loading",
                cconv_last_error(), *open);
    cconv_graph_free(r->graph);
    return NULL;
}

/* Names the outputs of `from` as those of `to`, numbers[i] the node of `to` for node i. */
static cconv_status copy_outputs(const cconv_graph *from, cconv_graph *to, const int *numbers)
{
    for (int i = 0; i < from->n_outputs; ++i) {
        const int node = from->outputs[i].node;
        CC_TRY(cconv_graph_output(to, from->outputs[i].name, numbers[node]));
    }
    return CCONV_OK;
}

static bool only_batches_are_open(const cconv_graph *graph)
{
    for (int i = 1; i <= graph->count; ++i) {
        const cc_node *node = cc_graph_node(graph, i);
        for (int k = 1; node->kind == CC_INPUT && k < node->shape.rank; ++k)
            if (node->shape.dim[k] == CC_UNKNOWN) return false;
    }
    return true;
}

/* Whether the graph for all open sizes, made of the other two, is the model for sizes of any kind. */
static bool fits_others(onnx_reading *r, const cconv_onnx_options *options, const cconv_graph *first, const cconv_graph *second,
                        const cconv_graph *joined, const int *numbers)
{
    const char *open = NULL;
    if (only_batches_are_open(joined)) return true;
    cconv_graph *third = build(r, options, 2, &open);
    const bool fits = third ? onnx_open_fits(first, second, third, joined, numbers) : r->status != CCONV_NO_MEMORY;
    if (!third && fits) r->status = CCONV_OK; /* the model does not take such sizes */
    cconv_graph_free(third);
    return fits;
}

/* The graph for all open sizes. */
static cconv_graph *build_open(onnx_reading *r, const cconv_onnx_options *options)
{
    const char *open = NULL;
    cconv_graph *first = build(r, options, 1, &open); /* the larger sizes: of the others no more is too much */
    if (!first || !open) return first;
    cconv_graph *second = build(r, options, 0, &open);
    int *numbers = cc_alloc(((uint64_t)first->count + 1) * sizeof *numbers);
    cconv_graph *joined = second && numbers ? onnx_join_open(first, second, numbers) : NULL;
    if (joined &&
        (copy_outputs(first, joined, numbers) != CCONV_OK || !fits_others(r, options, first, second, joined, numbers))) {
        cconv_graph_free(joined);
        joined = NULL;
    }
    if (second && !joined) onnx_stop(r, cconv_last_status());
    cc_free(numbers);
    cconv_graph_free(first);
    cconv_graph_free(second);
    return joined;
}

/* The same graph, channels last inside: what readers put around ops is moved outward, once for all plans. Takes the graph. */
static cconv_graph *move_transposes(cconv_graph *graph)
{
    cconv_status status = CCONV_NO_MEMORY;
    int *numbers = cc_alloc(((uint64_t)graph->count + 1) * sizeof *numbers);
    int *outputs = cc_alloc((uint64_t)graph->n_outputs * sizeof *outputs);
    cconv_graph *moved = NULL;
    if (numbers && outputs) {
        for (int i = 0; i < graph->n_outputs; ++i) outputs[i] = graph->outputs[i].node;
        moved = cc_graph_move_transposes(
            graph, &(cc_rewrite_options){.training = true, .n_outputs = graph->n_outputs, .outputs = outputs}, numbers,
            &status);
        if (moved) status = copy_outputs(graph, moved, numbers);
    }
    if (moved || status != CCONV_OK) cconv_graph_free(graph);
    if (status == CCONV_OK) graph = moved ? moved : graph;
    if (status != CCONV_OK) {
        cconv_graph_free(moved);
        graph = NULL;
    }
    cc_free(numbers);
    cc_free(outputs);
    return graph;
}

/* ---- Loading ------------------------------------------------------------------------------------------------------------- */

static cconv_status check_options(const cconv_onnx_options *options)
{
    if (!options) return CCONV_OK;
    if (options->n_shapes < 0 || (options->n_shapes > 0 && !options->shapes))
        return cc_fail(CCONV_INVALID, "load: expected an array of shapes, received NULL or a negative count");
    return CCONV_OK;
}

/* A name among the given shapes that no input has. */
static cconv_status check_names(const onnx_graph *graph, const cconv_onnx_options *options)
{
    for (int i = 0; options && i < options->n_shapes; ++i) {
        bool found = !options->shapes[i].name;
        for (int k = 0; !found && k < graph->n_inputs; ++k) found = strcmp(options->shapes[i].name, graph->inputs[k].name) == 0;
        if (!found) return cc_fail(CCONV_INVALID, "load: the model has no input '%s'", options->shapes[i].name);
    }
    return CCONV_OK;
}

static cconv_graph *load(const onnx_file *file, const char *folder, const cconv_onnx_options *options)
{
    onnx_reading r = {.file = file,
                      .folder = folder,
                      .frozen = options && options->frozen,
                      .parameters_of = options ? options->parameters_of : NULL};
    cconv_graph *graph = NULL;
    cconv_status status = onnx_model_read(file->bytes, &r.model);
    if (status == CCONV_OK && r.model.opset < OLDEST_OPSET)
        status = cc_fail(CCONV_UNSUPPORTED, "expected a model of opset %d or later, received opset %lld", OLDEST_OPSET,
                         (long long)r.model.opset);
    if (status == CCONV_OK) status = check_names(&r.model.graph, options);
    if (status == CCONV_OK) graph = build_open(&r, options);
    onnx_forget_parameters(&r);
    onnx_model_free(&r.model);
    return graph ? move_transposes(graph) : NULL;
}

cconv_graph *cconv_load_onnx_memory(const void *bytes, size_t size, const cconv_onnx_options *options)
{
    if (check_options(options) != CCONV_OK) return NULL;
    if (!bytes) {
        cc_fail(CCONV_INVALID, "load: expected the bytes of a model, received NULL");
        return NULL;
    }
    return load(&(onnx_file){.bytes = {bytes, size}}, NULL, options);
}

/* The folder of a path, "." where it names none. */
static char *folder_of(const char *path)
{
    size_t length = strlen(path);
    while (length && path[length - 1] != '/' && path[length - 1] != '\\') --length;
    char *folder = cc_alloc((uint64_t)length + 2);
    if (!folder) return NULL;
    memcpy(folder, length ? path : ".", length ? length : 1);
    folder[length ? length : 1] = 0;
    return folder;
}

cconv_graph *cconv_load_onnx(const char *path, const cconv_onnx_options *options)
{
    if (check_options(options) != CCONV_OK) return NULL;
    if (!path) {
        cc_fail(CCONV_INVALID, "load: expected the path of a model, received NULL");
        return NULL;
    }
    onnx_file file = {0};
    char *folder = folder_of(path);
    cconv_graph *graph = folder && onnx_file_open(path, &file) == CCONV_OK ? load(&file, folder, options) : NULL;
    onnx_file_close(&file);
    cc_free(folder);
    return graph;
}
