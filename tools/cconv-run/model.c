/* Loading and planning a model. */
#include "model.h"
#include "say.h"
#include <stdlib.h>
#include <string.h>

/* ---- Loading ------------------------------------------------------------------------------------------------------------- */

static int find_inputs(model *m)
{
    const int count = cconv_graph_count(m->graph);
    m->n_inputs = 0;
    for (int i = 1; i <= count; ++i) {
        cconv_node node;
        if (cconv_graph_node(m->graph, i, &node) != CCONV_OK || node.kind != CCONV_INPUT) continue;
        m->inputs[m->n_inputs] = i;
        for (int k = 0; k < node.rank; ++k) m->shapes[m->n_inputs][k] = node.shape[k];
        ++m->n_inputs;
    }
    m->n_outputs = cconv_graph_output_count(m->graph);
    return m->n_inputs > 0 || say("the model has no input");
}

/* Where the first input has its axes. Channels are where there are one or three of them, first if that leaves both open. */
static void find_axes(model *m, enum layout layout)
{
    int rank = 0;
    cconv_graph_shape(m->graph, m->inputs[0], &rank, NULL);
    if (rank != 4) return;
    const int64_t first = m->shapes[0][1], last = m->shapes[0][3];
    const int last_fits = last == 1 || last == 3, first_fits = first == 1 || first == 3;
    const int nhwc = layout == LAYOUT_NHWC || (layout == LAYOUT_BY_SHAPE && last_fits && !first_fits);
    const int64_t channels = nhwc ? last : first;
    m->channels_axis = nhwc ? 3 : 1;
    m->rows_axis = nhwc ? 1 : 2;
    m->columns_axis = m->rows_axis + 1;
    if (channels == 1 || channels == 3) m->channels = (int)channels;
}

/* Where the file cannot be read with open sizes: the sizes of --size, for three channels and for one. */
static cconv_graph *load_sized(const options *o)
{
    for (int64_t channels = 3; channels > 0; channels -= 2) {
        cconv_input_shape shape = {.rank = 4, .shape = {1, channels, o->height, o->width}};
        if (o->layout == LAYOUT_NHWC) memcpy(shape.shape, (int64_t[]){1, o->height, o->width, channels}, 4 * sizeof(int64_t));
        cconv_graph *graph = cconv_load_onnx(o->model, &(cconv_onnx_options){.n_shapes = 1, .shapes = &shape, .frozen = 1});
        if (graph) return graph;
    }
    return NULL;
}

/* The same model with other sizes of its first input, if the file fixes those that shall be others. */
static int resize_input(model *m, const options *o)
{
    cconv_input_shape shape = {.rank = 4};
    int other = 0;
    memcpy(shape.shape, m->shapes[0], sizeof shape.shape);
    const struct {
        int axis;
        int64_t size;
    } wanted[] = {{0, o->n_raw ? 0 : 1}, {m->rows_axis, o->height}, {m->columns_axis, o->width}};
    for (int i = 0; i < 3; ++i) {
        int64_t *size = &shape.shape[wanted[i].axis];
        if (wanted[i].size < 1 || *size == wanted[i].size || (i == 0 && *size < 0)) continue;
        if (*size >= 0) other = 1;
        if (i > 0) m->shapes[0][wanted[i].axis] = wanted[i].size;
        *size = wanted[i].size;
    }
    if (!other) return 1;
    cconv_graph *graph = cconv_load_onnx(
        o->model, &(cconv_onnx_options){.n_shapes = 1, .shapes = &shape, .parameters_of = m->graph, .frozen = 1});
    if (!graph) return say_about(o->model, "with an input of other sizes than its own: %s", cconv_last_error());
    m->first = m->graph;
    m->graph = graph;
    return find_inputs(m);
}

int model_load(model *m, const options *o)
{
    *m = (model){0};
    m->graph = cconv_load_onnx(o->model, &(cconv_onnx_options){.frozen = 1});
    if (!m->graph && o->height > 0) m->graph = load_sized(o);
    if (!m->graph) return say_about(o->model, "%s", cconv_last_error());
    const size_t nodes = (size_t)cconv_graph_count(m->graph), outputs = (size_t)cconv_graph_output_count(m->graph);
    m->inputs = room(nodes, sizeof *m->inputs);
    m->shapes = room(nodes, sizeof *m->shapes);
    m->arrays = room(nodes, sizeof *m->arrays);
    m->outputs = room(outputs, sizeof *m->outputs);
    m->output_shapes = room(outputs, sizeof *m->output_shapes);
    m->output_ranks = room(outputs, sizeof *m->output_ranks);
    if (!m->inputs || !m->shapes || !m->arrays || !m->outputs || !m->output_shapes || !m->output_ranks) return 0;
    memset(m->arrays, 0, nodes * sizeof *m->arrays);
    memset(m->outputs, 0, outputs * sizeof *m->outputs);
    if (!find_inputs(m)) return 0;
    find_axes(m, o->layout);
    if (m->rows_axis == 0 && o->height > 0) return say("--size: the model's first input has no height and width (four axes)");
    return m->rows_axis == 0 || resize_input(m, o);
}

/* ---- Planning ------------------------------------------------------------------------------------------------------------ */

int model_input_node(const model *m, int i, cconv_node *node)
{
    return cconv_graph_node(m->graph, m->inputs[i], node) == CCONV_OK || say("%s", cconv_last_error());
}

int64_t model_input_count(const model *m, int i, int64_t samples)
{
    int rank = 0;
    int64_t count = 1;
    cconv_graph_shape(m->graph, m->inputs[i], &rank, NULL);
    for (int k = 0; k < rank; ++k) {
        const int64_t size = m->shapes[i][k];
        count *= size >= 0 ? size : k == 0 ? samples : m->planned[k != m->rows_axis];
    }
    return count;
}

int64_t model_output_count(const model *m, int i)
{
    int64_t count = 1;
    for (int k = 0; k < m->output_ranks[i]; ++k) count *= m->output_shapes[i][k];
    return count;
}

static void forget_plan(model *m)
{
    cconv_plan_free(m->plan);
    m->plan = NULL;
    for (int i = 0; m->outputs && i < m->n_outputs; ++i) {
        free(m->outputs[i].data);
        m->outputs[i].data = NULL;
    }
}

static int make_outputs(model *m)
{
    for (int i = 0; i < m->n_outputs; ++i) {
        if (cconv_plan_shape(m->plan, cconv_graph_output_node(m->graph, i), m->samples, &m->output_ranks[i],
                             m->output_shapes[i]) != CCONV_OK)
            return say("%s", cconv_last_error());
        m->outputs[i] = (cconv_output){room((size_t)model_output_count(m, i), sizeof(double)), CCONV_FLOAT64};
        if (!m->outputs[i].data) return 0;
    }
    return 1;
}

/* The shapes of all inputs for a plan; 0 and said where one stays open. */
static int close_shapes(const model *m, int64_t (*shapes)[CCONV_MAX_RANK], int64_t samples, int64_t rows, int64_t columns)
{
    for (int i = 0; i < m->n_inputs; ++i) {
        cconv_node node;
        if (!model_input_node(m, i, &node)) return 0;
        for (int k = 0; k < node.rank; ++k) {
            int64_t size = m->shapes[i][k];
            if (size < 0 && k == 0) size = samples;
            if (size < 0 && i == 0 && k == m->rows_axis) size = rows;
            if (size < 0 && i == 0 && k == m->columns_axis) size = columns;
            if (size < 1 && m->shapes[i][k] < 0)
                return say("the model leaves sizes of its input '%s' open; --size HxW gives those of an image", node.name);
            shapes[i][k] = size;
        }
    }
    return 1;
}

int model_plan(model *m, const options *o, int64_t samples, int64_t rows, int64_t columns)
{
    if (m->plan && m->samples == samples && m->planned[0] == rows && m->planned[1] == columns) return 1;
    forget_plan(m);
    int64_t(*shapes)[CCONV_MAX_RANK] = room((size_t)m->n_inputs, sizeof *shapes);
    const int64_t **pointers = room((size_t)m->n_inputs, sizeof *pointers);
    int fine = shapes && pointers && close_shapes(m, shapes, samples, rows, columns);
    if (fine) {
        for (int i = 0; i < m->n_inputs; ++i) pointers[i] = shapes[i];
        m->plan = cconv_plan_new(m->graph,
                                 &(cconv_plan_options){.max_batch = samples, .input_shapes = pointers, .threads = o->threads});
        m->samples = samples;
        m->planned[0] = rows;
        m->planned[1] = columns;
        fine = m->plan ? make_outputs(m) : say_about(o->model, "%s", cconv_last_error());
    }
    free(shapes);
    free(pointers);
    if (!fine) forget_plan(m);
    return fine;
}

cconv_status model_run(model *m, int (*interrupted)(void *))
{
    const cconv_status status = cconv_plan_run(
        m->plan, &(cconv_batch){.n = m->samples, .inputs = m->arrays, .outputs = m->outputs, .interrupted = interrupted});
    if (status != CCONV_OK && status != CCONV_INTERRUPTED) say("%s", cconv_last_error());
    return status;
}

void model_free(model *m)
{
    forget_plan(m);
    cconv_graph_free(m->graph);
    cconv_graph_free(m->first);
    free(m->inputs);
    free(m->shapes);
    free(m->arrays);
    free(m->outputs);
    free(m->output_shapes);
    free(m->output_ranks);
}
