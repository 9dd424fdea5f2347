/* Parameters of a graph and what an optimizer keeps for them, in a file: see cconv.h.
 *
 * A slot is called optimizer/<variable>/<slot>. The rules and steps of the optimizer and of those it delegates to are metadata:
 * optimizer, iterations, optimizer/0, iterations/0, ... */
#include "base/alloc.h"
#include "base/variable.h"
#include "base/writer.h"
#include "files/json.h"
#include "files/safetensors.h"
#include "graph/graph.h"
#include "optim/optimizer.h"
#include <string.h>

#define PREFIX "optimizer/"

typedef struct kept { /* one array that is to be in the file */
    const char *name;
    cconv_variable *parameter;
    cconv_optimizer *owner; /* of a slot; else NULL */
    int slot;
    cc_shape shape;
    const cc_tensor *tensor; /* read: where it stands */
} kept;

typedef struct kept_list {
    kept *items;
    int n;
    char **names; /* of slots: memory of the list's own */
    int n_names;
} kept_list;

static void list_free(kept_list *list)
{
    for (int i = 0; i < list->n_names; ++i) cc_free(list->names[i]);
    cc_free(list->names);
    cc_free(list->items);
}

/* Where an array is. A slot is made when it is first asked for; NULL without memory. */
static cconv_variable *place_of(const kept *k)
{
    return k->owner ? cconv_optimizer_slot(k->owner, k->parameter, k->slot) : k->parameter;
}

static cconv_status check_arguments(const cconv_graph *graph, const char *path)
{
    if (!graph || !path) return cc_fail(CCONV_INVALID, "parameters: expected a graph and a path, received NULL");
    return graph->status == CCONV_OK ? CCONV_OK : cc_fail(graph->status, "%s", graph->error);
}

/* The graph's parameters, with room for all slots of all of them. */
static cconv_status list_parameters(const cconv_graph *graph, kept_list *list)
{
    const int n = cconv_graph_parameters(graph, 0, NULL, 0);
    const size_t count = (size_t)n + 1;
    int *nodes = cc_alloc(count * sizeof *nodes);
    list->items = cc_alloc(count * (1 + CC_MAX_SLOTS) * sizeof *list->items);
    list->names = cc_alloc(count * CC_MAX_SLOTS * sizeof *list->names);
    if (nodes && list->items && list->names) {
        cconv_graph_parameters(graph, 0, nodes, n);
        for (int i = 0; i < n; ++i) {
            const cc_node *node = cc_graph_node(graph, nodes[i]);
            list->items[i] = (kept){.name = node->name, .parameter = node->variable, .shape = node->variable->shape};
        }
        list->n = n;
    }
    cc_free(nodes);
    return nodes && list->items && list->names ? CCONV_OK : CCONV_NO_MEMORY;
}

static cconv_status add_slot(kept_list *list, const kept *of, cconv_optimizer *owner, int slot)
{
    const char *slot_name = owner->names[slot];
    const size_t size = strlen(PREFIX) + strlen(of->name) + 1 + strlen(slot_name) + 1;
    char *name = cc_alloc(size);
    if (!name) return CCONV_NO_MEMORY;
    cc_writer w = cc_writer_in(name, size);
    cc_put(&w, PREFIX "%s/%s", of->name, slot_name);
    list->names[list->n_names++] = name;
    list->items[list->n++] = (kept){.name = name,
                                    .parameter = of->parameter,
                                    .owner = owner,
                                    .slot = slot,
                                    .shape = cc_optimizer_slot_shape(owner, slot, &of->shape)};
    return CCONV_OK;
}

/* Adds the slots of each parameter: those there are, and (file is not NULL) those of parameters that the file has a slot of. */
static cconv_status list_slots(cconv_optimizer *optimizer, const cc_safetensors *file, kept_list *list)
{
    const int parameters = list->n;
    for (int i = 0; optimizer && i < parameters; ++i) {
        bool known;
        const kept *of = &list->items[i];
        cconv_optimizer *owner = cc_optimizer_of(optimizer, of->parameter, &known);
        const int before = list->n;
        for (int s = 0; s < owner->n_slots && (known || file); ++s) CC_TRY(add_slot(list, of, owner, s));
        bool there = known;
        for (int k = before; k < list->n && !there; ++k) there = cc_safetensors_find(file, list->items[k].name) != NULL;
        if (!there) list->n = before;
    }
    return CCONV_OK;
}

/* ---- Saving ------------------------------------------------------------------------------------------------------- */

static cconv_status check_names(const kept_list *list)
{
    for (int i = 0; i < list->n; ++i) {
        const char *name = list->items[i].name;
        if (!cc_json_is_text(name))
            return cc_fail(CCONV_INVALID, "save: expected names of parameters in UTF-8, received '%.100s'", name);
        if (strcmp(name, "__metadata__") == 0)
            return cc_fail(CCONV_INVALID, "save: no parameter can be called '__metadata__' in a file");
        for (int k = 0; k < i; ++k)
            if (strcmp(list->items[k].name, name) == 0)
                return cc_fail(CCONV_INVALID, "save: expected parameters whose names differ, received two called '%.100s'",
                               name);
    }
    return CCONV_OK;
}

enum { KEY = 32, NUMBER = 24 };
typedef struct labels { /* metadata of an optimizer, or of one that it delegates to */
    char kind_key[KEY], iterations_key[KEY], iterations[NUMBER];
} labels;

/* member -1: the optimizer itself. */
static void labels_of(int member, labels *l)
{
    cc_writer kind = cc_writer_in(l->kind_key, KEY), iterations = cc_writer_in(l->iterations_key, KEY);
    cc_put(&kind, "optimizer");
    cc_put(&iterations, "iterations");
    if (member < 0) return;
    cc_put(&kind, "/%d", member);
    cc_put(&iterations, "/%d", member);
}

static cconv_optimizer *member_of(cconv_optimizer *optimizer, int member)
{
    return member < 0 ? optimizer : optimizer->members[member];
}

static cconv_status write_list(const kept_list *list, cconv_optimizer *optimizer, const char *path)
{
    const int n_labels = optimizer ? 1 + optimizer->n_members : 0;
    cc_named *tensors = cc_alloc((size_t)list->n * sizeof *tensors);
    labels *all = cc_alloc((size_t)n_labels * sizeof *all);
    cc_metadata *metadata = cc_alloc(2 * (size_t)n_labels * sizeof *metadata);
    cconv_status status = tensors && all && metadata ? CCONV_OK : CCONV_NO_MEMORY;
    for (int i = 0; status == CCONV_OK && i < list->n; ++i) {
        const kept *k = &list->items[i];
        tensors[i] = (cc_named){k->name, &k->shape, place_of(k)->data};
    }
    for (int i = 0; status == CCONV_OK && i < n_labels; ++i) {
        const cconv_optimizer *one = member_of(optimizer, i - 1);
        labels_of(i - 1, &all[i]);
        cc_writer number = cc_writer_in(all[i].iterations, NUMBER);
        cc_put(&number, "%lld", (long long)one->iterations);
        metadata[2 * i] = (cc_metadata){all[i].kind_key, one->rule->name};
        metadata[2 * i + 1] = (cc_metadata){all[i].iterations_key, all[i].iterations};
    }
    if (status == CCONV_OK) status = cc_safetensors_write(path, list->n, tensors, 2 * n_labels, metadata);
    cc_free(tensors);
    cc_free(all);
    cc_free(metadata);
    return status;
}

cconv_status cconv_save_parameters(const cconv_graph *graph, const cconv_optimizer *optimizer, const char *path)
{
    kept_list list = {0};
    cconv_optimizer *read_only = (cconv_optimizer *)optimizer; /* only slots that are there are asked for */
    CC_TRY(check_arguments(graph, path));
    cconv_status status = list_parameters(graph, &list);
    if (status == CCONV_OK) status = list_slots(read_only, NULL, &list);
    if (status == CCONV_OK) status = check_names(&list);
    if (status == CCONV_OK) status = write_list(&list, read_only, path);
    list_free(&list);
    return status;
}

/* ---- Loading: what is wrong ---------------------------------------------------------------------------------------- */

typedef struct problems { /* as one sentence, as far as it has room */
    cc_writer text;
    int n, untold;
} problems;

#define PROBLEM(p, ...)                                                                                                        \
    do {                                                                                                                       \
        if ((p)->text.length > 480) {                                                                                          \
            ++(p)->untold;                                                                                                     \
        } else {                                                                                                               \
            cc_put(&(p)->text, (p)->n ? "; " : "");                                                                            \
            cc_put(&(p)->text, __VA_ARGS__);                                                                                   \
        }                                                                                                                      \
        ++(p)->n;                                                                                                              \
    } while (0)

static bool has_shape(const cc_tensor *tensor, const cc_shape *shape)
{
    if (tensor->rank != shape->rank) return false;
    for (int d = 0; d < shape->rank; ++d)
        if (tensor->dim[d] != shape->dim[d]) return false;
    return true;
}

static void match(kept *k, const cc_safetensors *file, problems *p)
{
    cc_tensor *tensor = cc_safetensors_find(file, k->name);
    char wanted[CC_SHAPE_TEXT], found[CC_SHAPE_TEXT];
    if (!tensor) {
        PROBLEM(p, "'%.100s' is missing", k->name);
        return;
    }
    if (tensor->used) PROBLEM(p, "two parameters are called '%.100s'", k->name);
    tensor->used = true;
    k->tensor = tensor;
    if (tensor->dtype < 0)
        PROBLEM(p, "'%.100s' has elements of type %s, where F32, F16, BF16 or F64 is read", k->name, tensor->type);
    if (has_shape(tensor, &k->shape)) return;
    cc_shape shape = {.rank = tensor->rank > CCONV_MAX_RANK ? CCONV_MAX_RANK : tensor->rank};
    memcpy(shape.dim, tensor->dim, sizeof shape.dim);
    PROBLEM(p, "'%.100s' has shape %s%s where the graph has %s", k->name, cc_shape_text(&shape, found),
            tensor->rank > CCONV_MAX_RANK ? " and more sizes" : "", cc_shape_text(&k->shape, wanted));
}

/* A step count as it was written; -1: it is none. */
static int64_t read_iterations(const char *text)
{
    int64_t n = -1;
    const size_t length = text ? strlen(text) : 0;
    char copy[NUMBER];
    if (!length || length >= NUMBER) return -1;
    memcpy(copy, text, length + 1);
    cc_json json = {copy, copy + length};
    return cc_json_number(&json, &n) && json.at == json.end ? n : -1;
}

static void match_optimizer(cconv_optimizer *optimizer, const cc_safetensors *file, problems *p)
{
    labels l;
    for (int i = -1; i < optimizer->n_members; ++i) {
        const char *kind = member_of(optimizer, i)->rule->name;
        labels_of(i, &l);
        const char *found = cc_safetensors_metadata(file, l.kind_key);
        if (!found || strcmp(found, kind) != 0)
            PROBLEM(p, "its state is of %s%.40s where the optimizer is %s", found ? "" : "no optimizer", found ? found : "",
                    kind);
        else if (read_iterations(cc_safetensors_metadata(file, l.iterations_key)) < 0)
            PROBLEM(p, "its count of steps (%s) is no number", l.iterations_key);
    }
    labels_of(optimizer->n_members, &l);
    if (cc_safetensors_metadata(file, l.kind_key))
        PROBLEM(p, "its optimizer delegates to more than %d others", optimizer->n_members);
}

static cconv_status compare(kept_list *list, cconv_optimizer *optimizer, const cc_safetensors *file, const char *path)
{
    char text[800];
    problems p = {.text = cc_writer_in(text, sizeof text)};
    const bool ignores = !optimizer && cc_safetensors_metadata(file, "optimizer");
    for (int i = 0; i < list->n; ++i) match(&list->items[i], file, &p);
    if (optimizer) match_optimizer(optimizer, file, &p);
    for (int i = 0; i < file->n_tensors; ++i) {
        const cc_tensor *tensor = &file->tensors[i];
        if (!tensor->used && !(ignores && strncmp(tensor->name, PREFIX, strlen(PREFIX)) == 0))
            PROBLEM(&p, "'%.100s' is in the file only", tensor->name);
    }
    if (p.n == 0) return CCONV_OK;
    if (p.untold) cc_put(&p.text, "; and %d more", p.untold);
    return cc_fail(CCONV_INVALID, "%.150s does not fit: %s", path, text);
}

/* ---- Loading ------------------------------------------------------------------------------------------------------ */

static cconv_status take_over(const kept_list *list, cconv_optimizer *optimizer, const cc_safetensors *file)
{
    labels l;
    for (int i = 0; i < list->n; ++i)
        if (!place_of(&list->items[i])) return CCONV_NO_MEMORY;
    for (int i = 0; i < list->n; ++i) { /* nothing fails from here on */
        cconv_variable *to = place_of(&list->items[i]);
        cc_safetensors_elements(file, list->items[i].tensor, to->data);
        cconv_variable_touch(to);
    }
    for (int i = -1; optimizer && i < optimizer->n_members; ++i) {
        labels_of(i, &l);
        member_of(optimizer, i)->iterations = read_iterations(cc_safetensors_metadata(file, l.iterations_key));
    }
    return CCONV_OK;
}

cconv_status cconv_load_parameters(cconv_graph *graph, cconv_optimizer *optimizer, const char *path)
{
    kept_list list = {0};
    cc_safetensors file;
    CC_TRY(check_arguments(graph, path));
    cconv_status status = cc_safetensors_read(path, &file);
    if (status == CCONV_OK) status = list_parameters(graph, &list);
    if (status == CCONV_OK) status = list_slots(optimizer, &file, &list);
    if (status == CCONV_OK) status = compare(&list, optimizer, &file, path);
    if (status == CCONV_OK) status = take_over(&list, optimizer, &file);
    list_free(&list);
    cc_safetensors_free(&file);
    return status;
}
