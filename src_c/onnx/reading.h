/* A model while it is read: what its names stand for, the graph that grows, and what is the same however often it is built. */
#ifndef CC_ONNX_READING_H
#define CC_ONNX_READING_H

#include "base/map.h"
#include "base/writer.h"
#include "graph/graph.h"
#include "onnx/elements.h"
#include "onnx/file.h"
#include "onnx/reader.h"
#include <stdarg.h>

/* Elements that are known while a model is read: floats, or whole numbers (of int32 and bool values). */
typedef struct onnx_array {
    cc_shape shape; /* and type: float32, int32 or bool */
    float *floats;
    int64_t *ints;
} onnx_array;

/* What a name stands for. */
typedef struct onnx_named {
    const char *name;
    onnx_type type;
    bool refused;              /* its node is not supported: neither is what reads it, of which nothing more is said */
    bool missing;              /* refused, for its node's reader does not give this output */
    int node;                  /* in the graph; 0: none yet */
    const onnx_tensor *tensor; /* it stands in the file, or NULL */
    const onnx_array *known;   /* its elements, or NULL */
    int stored;                /* of a tensor: the node of a variable in another order of axes; 0: none */
    int order[CCONV_MAX_RANK];
    int same_as; /* it is another value, number same_as - 1; 0: it is not */
} onnx_named;

/* A variable that was made of a tensor, for all graphs that are built of the model. */
typedef struct onnx_parameter {
    int order[CCONV_MAX_RANK];
    cconv_variable *variable;
    int next; /* of the same tensor in another order, number + 1; 0: none */
} onnx_parameter;

typedef struct onnx_shared { /* a variable of the graph that parameters are shared with */
    const char *name;
    int node;
} onnx_shared;

/* A node that was too much to be evaluated: it is not in any other graph of the model, lest they differ. */
typedef struct onnx_left {
    int serial;
    struct onnx_left *next;
} onnx_left;

typedef struct onnx_reading {
    onnx_model model;
    const onnx_file *file;
    const char *folder; /* of external data; NULL: none is read */
    bool frozen;
    int64_t opened_batch; /* what stands in place of a batch that the caller left open where the file says 1; or 0 */
    const cconv_graph *parameters_of;
    cconv_graph *graph;
    onnx_named *values;
    int n_values, values_capacity;
    int *slots; /* a hash table of values, by name: number + 1, 0: free; a power of two, more than twice the values */
    size_t n_slots;
    onnx_parameter *parameters;
    int n_parameters, parameters_capacity;
    cc_map tensors;      /* where they stand in the file: number + 1 of the first parameter */
    onnx_shared *shared; /* by names, then by nodes */
    int n_shared;
    int serial; /* of nodes that were read, those of branches too */
    onnx_left *left, *last_left, *next_left;
    const onnx_node *node; /* that is being read */
    bool folding;          /* it is evaluated */
    uint64_t folded,
        computed; /* elements: of what was evaluated, and of constants in the graph that is being built (budget.c) */
    int n_refused;
    char refused[640];   /* "Loop (node 'a'), ..." */
    cconv_status status; /* of what ended the reading */
    int depth;           /* of branches */
} onnx_reading;

struct onnx_call {
    onnx_reading *r;
    const onnx_node *node;
    cconv_graph *graph; /* where ops are added: the reading's, or a small one that is evaluated at once */
    bool folding, failed;
    int *given;       /* while folding: the nodes of the outputs, */
    onnx_type *types; /* and their types */
};

/* ---- Names (names.c) ---------------------------------------------------------------------------------------------------- */

/* The value of a name, or NULL: there is none. The pointer holds until the next value is added. */
onnx_named *onnx_find(onnx_reading *r, const char *name);
/* A value of this name, made anew; NULL without memory. */
onnx_named *onnx_name(onnx_reading *r, const char *name);
/* What it is in the end. */
onnx_named *onnx_resolve(onnx_reading *r, onnx_named *value);
void onnx_forget_names(onnx_reading *r);

/* ---- Values (values.c) -------------------------------------------------------------------------------------------------- */

/* The elements of a value if they can be known now; NULL: they cannot, or (see r->status) there was a failure. */
const onnx_array *onnx_elements_of(onnx_reading *r, onnx_named *value);
/* Whether a value may be computed with while reading: it is known, and no parameter. */
bool onnx_is_foldable(onnx_reading *r, onnx_named *value);
/* Its node in a graph, which is the reading's or a small one. */
int onnx_node_of(onnx_reading *r, cconv_graph *graph, onnx_named *value);
int onnx_node_ordered(onnx_reading *r, onnx_named *value, const int *order);
/* Gives back what parameters took. */
void onnx_forget_parameters(onnx_reading *r);
/* A constant of an array. */
int onnx_array_node(onnx_reading *r, cconv_graph *graph, const char *name, const onnx_array *array);
/* An array in the model's memory, its elements to be written; NULL without memory. */
onnx_array *onnx_new_array(onnx_reading *r, const cc_shape *shape);

/* ---- What is computed while reading (budget.c) ------------------------------------------------------------------------------ */

/* Counts so many elements. False: these are too many for a file of this size; the reading ends, or with ONNX_TOO_MUCH, a status
 * that nothing else here has, the evaluation of a node, which becomes part of the graph then. */
#define ONNX_TOO_MUCH CCONV_BUSY
bool onnx_may_compute(onnx_reading *r, uint64_t elements);

/* ---- Nodes (nodes.c) ---------------------------------------------------------------------------------------------------- */

/* Names the tensors of a graph; reads its nodes. */
bool onnx_name_tensors(onnx_reading *r, const onnx_graph *graph);
bool onnx_read_nodes(onnx_reading *r, const onnx_graph *graph);
/* Ends the reading: remembers the status of the last failure. Returns false. */
bool onnx_stop(onnx_reading *r, cconv_status status);
void onnx_note_refusal(onnx_reading *r, const onnx_node *node, const char *why);
/* Ends it with the last failure of the library, the node in front (reader.c). Returns 0. */
int onnx_stop_here(onnx_call *c);
/* Notes the attributes of a node that was read which its reader has not asked for (node_attributes.c). */
void onnx_refuse_unasked(const onnx_call *c);

/* ---- Attributes of ops (format.c) --------------------------------------------------------------------------------------- */

/* Writes by a format of %d, %lld, %s and %.9g. */
void onnx_put_attributes(cc_writer *w, const char *format, va_list arguments);

/* ---- Open sizes (open.c) ------------------------------------------------------------------------------------------------ */

/* One graph of two that were built with other sizes in place of open ones: what differs between them is open (-1) in it; joined[i]
 * is its node for node i of both, 0 where nobody needs it. NULL: they differ in more than ops can follow; the error says where. */
cconv_graph *onnx_join_open(const cconv_graph *a, const cconv_graph *b, int *joined);
/* Whether that graph is the model for a third set of sizes, too, which graph c was built with (open_check.c). */
bool onnx_open_fits(const cconv_graph *a, const cconv_graph *b, const cconv_graph *c, const cconv_graph *joined,
                    const int *numbers);

#endif
