/* What a run gave: classes, or shapes and ranges; and what a model is. */
#include "report.h"
#include "say.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_shape(int rank, const int64_t *shape)
{
    putchar('(');
    for (int k = 0; k < rank; ++k) {
        if (k) fputs(", ", stdout);
        if (shape[k] < 0) {
            fputs("None", stdout);
        } else {
            printf("%lld", (long long)shape[k]);
        }
    }
    putchar(')');
}

/* ---- Classes ------------------------------------------------------------------------------------------------------------- */

/* Numbers of a sample if the output has one for each class: all on one axis. 0: it is something else. */
static int64_t classes_of(const model *m, int i)
{
    const int rank = m->output_ranks[i];
    const int64_t *shape = m->output_shapes[i];
    const int batched = rank > 1 && shape[0] == m->samples;
    int64_t classes = 1;
    if (cconv_graph_dtype(m->graph, cconv_graph_output_node(m->graph, i)) != CCONV_FLOAT32 || (!batched && m->samples > 1))
        return 0;
    for (int k = batched; k < rank; ++k) {
        if (shape[k] != 1 && classes != 1) return 0;
        if (shape[k] != 1) classes = shape[k];
    }
    return classes > 1 ? classes : 0;
}

static int is_distribution(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; ++k) {
        if (!(x[k] >= 0)) return 0;
        sum += x[k];
    }
    return fabs(sum - 1) < 1e-3;
}

static void softmax(double *x, int64_t n)
{
    double most = x[0], sum = 0;
    for (int64_t k = 1; k < n; ++k) most = x[k] > most ? x[k] : most;
    for (int64_t k = 0; k < n; ++k) sum += x[k] = exp(x[k] - most);
    for (int64_t k = 0; k < n; ++k) x[k] /= sum;
}

/* The largest first, the first among equal ones; those printed are taken out as NaN. */
static void print_classes(double *x, int64_t n, const options *o, const labels *names)
{
    const int known = is_distribution(x, n);
    if (o->softmax == SOFTMAX_ALWAYS || (o->softmax == SOFTMAX_WHERE_NEEDED && !known)) softmax(x, n);
    for (int printed = 0; printed < o->top && printed < n; ++printed) {
        int64_t best = -1;
        for (int64_t k = 0; k < n; ++k)
            if (!isnan(x[k]) && (best < 0 || x[k] > x[best])) best = k;
        if (best < 0) {
            puts("  the values are no numbers (NaN)");
            return;
        }
        printf("%10.4f %5lld%s%s\n", x[best], (long long)best, names->count ? "  " : "",
               names->count ? names->lines[best] : "");
        x[best] = NAN;
    }
}

/* ---- Other outputs ------------------------------------------------------------------------------------------------------- */

static void print_range(const model *m, int i)
{
    const double *x = m->outputs[i].data;
    const int64_t count = model_output_count(m, i);
    double least = INFINITY, most = -INFINITY, sum = 0;
    int64_t finite = 0;
    for (int64_t k = 0; k < count; ++k) {
        if (!isfinite(x[k])) continue;
        least = x[k] < least ? x[k] : least;
        most = x[k] > most ? x[k] : most;
        sum += x[k];
        ++finite;
    }
    fputs("  ", stdout);
    print_shape(m->output_ranks[i], m->output_shapes[i]);
    if (count == 1) {
        printf(": %g", x[0]);
    } else if (finite > 0) {
        printf(": min %g, mean %g, max %g", least, sum / (double)finite, most);
    }
    if (finite < count && count != 1)
        printf("; %lld of %lld are NaN or infinite", (long long)(count - finite), (long long)count);
    putchar('\n');
}

/* Names must be as many as the classes of some output. */
static int check_labels(const model *m, const labels *names)
{
    int64_t classes = 0;
    if (!names->count) return 1;
    for (int i = 0; i < m->n_outputs; ++i) {
        const int64_t here = classes_of(m, i);
        if (here == names->count) return 1;
        if (here) classes = here;
    }
    if (!classes) return say_about(names->path, "the model's outputs have no classes to name");
    return say_about(names->path, "expected a name for each of %lld classes, found %lld", (long long)classes,
                     (long long)names->count);
}

int report_outputs(const model *m, const options *o, const labels *names, const char *of)
{
    static const labels none = {0};
    if (!check_labels(m, names)) return 0;
    for (int i = 0; i < m->n_outputs; ++i) {
        const int64_t classes = classes_of(m, i);
        const char *name = cconv_graph_output_name(m->graph, i);
        if (!classes) {
            printf("%s: %s\n", of, name);
            print_range(m, i);
        }
        for (int64_t sample = 0; classes && sample < m->samples; ++sample) {
            printf("%s", of);
            if (m->samples > 1) printf(", sample %lld", (long long)sample);
            printf(": %s\n", name);
            print_classes((double *)m->outputs[i].data + sample * classes, classes, o, classes == names->count ? names : &none);
        }
    }
    return fflush(stdout) == 0 || say("the output cannot be written");
}

/* ---- The model ----------------------------------------------------------------------------------------------------------- */

/* Elements of all variables. */
static uint64_t count_parameters(const cconv_graph *graph, int variables)
{
    uint64_t parameters = 0;
    int *nodes = room((size_t)variables, sizeof *nodes);
    if (!nodes) return 0;
    cconv_graph_parameters(graph, 0, nodes, variables);
    for (int i = 0; i < variables; ++i) {
        cconv_node node;
        if (cconv_graph_node(graph, nodes[i], &node) == CCONV_OK) parameters += cconv_variable_count(node.variable);
    }
    free(nodes);
    return parameters;
}

static void print_value(const cconv_graph *graph, int number, const char *name)
{
    int rank = 0;
    int64_t shape[CCONV_MAX_RANK];
    cconv_graph_shape(graph, number, &rank, shape);
    printf("  %s  %s ", name, cconv_dtype_name(cconv_graph_dtype(graph, number)));
    print_shape(rank, shape);
    putchar('\n');
}

int report_model(const model *m, const options *o)
{
    const int variables = cconv_graph_parameters(m->graph, 0, NULL, 0);
    const uint64_t parameters = count_parameters(m->graph, variables);
    printf("%s\ninputs\n", o->model);
    for (int i = 0; i < m->n_inputs; ++i) {
        cconv_node node;
        if (model_input_node(m, i, &node)) print_value(m->graph, m->inputs[i], node.name);
    }
    puts("outputs");
    for (int i = 0; i < m->n_outputs; ++i)
        print_value(m->graph, cconv_graph_output_node(m->graph, i), cconv_graph_output_name(m->graph, i));
    printf("parameters\n  %llu in %d variable%s (%.1f MB)\n", (unsigned long long)parameters, variables,
           variables == 1 ? "" : "s", 4e-6 * (double)parameters);
    puts("graph");
    const size_t size = cconv_graph_describe(m->graph, NULL, 0) + 1;
    char *table = room(size, 1);
    if (!table) return 0;
    cconv_graph_describe(m->graph, table, size);
    fputs(table, stdout);
    free(table);
    return fflush(stdout) == 0 || say("the output cannot be written");
}
