/* cconv: convolutional networks on CPUs, trained and run in C.
 *
 * This header is the whole public interface of libcconv. It depends on nothing but the C library, and works from C++.
 *
 * Two nouns carry everything. A *graph* says what is computed: inputs, variables and ops, added one after another. A *plan*
 * says how: which memory, which algorithms, how many threads, for one largest batch. Make a plan once, run it many times;
 * running allocates nothing. A small complete program, a dense layer learning y = 2 x:
 *
 *     #include "cconv.h"
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         float xs[4] = {0, 1, 2, 3}, ys[4] = {0, 2, 4, 6}, loss = 0;
 *         cconv_graph *g = cconv_graph_new();
 *         cconv_variable *weight = cconv_variable_new(2, (int64_t[]){1, 1});
 *         int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 2, (int64_t[]){-1, 1});
 *         int y = cconv_graph_input(g, "y", CCONV_FLOAT32, 2, (int64_t[]){-1, 1});
 *         int w = cconv_graph_variable(g, "weight", weight);
 *         int p = cconv_graph_add(g, "dense", NULL, 2, (int[]){x, w}, NULL);
 *         int e = cconv_graph_add(g, "mean_squared_error", NULL, 2, (int[]){y, p}, NULL);
 *         int l = cconv_graph_add(g, "mean", NULL, 1, &e, NULL);
 *         cconv_optimizer *sgd = cconv_optimizer_new("sgd", "learning_rate=0.1");
 *         cconv_plan *plan = cconv_plan_new(g, &(cconv_plan_options){
 *             .max_batch = 4, .n_outputs = 1, .outputs = &l, .training = 1, .root = l, .n_wrt = 1, .wrt = &w, .optimizer = sgd});
 *         if (!plan) { puts(cconv_last_error()); return 1; }
 *         for (int step = 0; step < 50; ++step)
 *             cconv_plan_run(plan, &(cconv_batch){.n = 4, .step = (uint64_t)step,
 *                 .outputs = (cconv_output[]){{&loss, CCONV_FLOAT32}},
 *                 .inputs = (cconv_array[]){{xs, CCONV_FLOAT32, 4}, {ys, CCONV_FLOAT32, 4}}});
 *         printf("loss %g, weight %g\n", (double)loss, (double)cconv_variable_data(weight)[0]);
 *         cconv_plan_free(plan); cconv_optimizer_free(sgd); cconv_graph_free(g); cconv_variable_free(weight);
 *     }
 *
 * Conventions. Images have one to three axes between batch and channels: (n, w, c), (n, h, w, c) or (n, d, h, w, c). Kernels
 * have the same ones before their channels, (kh, kw, c_in / groups, c_out); those of a transposed convolution are (kh, kw,
 * c_out / groups, c_in). Ops take the number of axes from their input. A value has a shape and an element type: float32,
 * int32 or bool. Variables are float32, and gradients flow through float32 values only. Shapes are listed outermost first;
 * -1 stands for a size not known yet. Node numbers start at 1: 0 means "none" (an optional input left out, or a call that
 * failed). Every call that can fail returns a cconv_status, NULL or 0, and leaves a sentence in cconv_last_error(). Nothing
 * here prints, exits or aborts. Different threads may use different objects at the same time. */
#ifndef CCONV_H
#define CCONV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exported from a shared library. A program that compiles the sources into its own binary may define it as nothing. */
#ifndef CCONV_API
#if defined(__GNUC__)
#define CCONV_API __attribute__((visibility("default")))
#else
#define CCONV_API
#endif
#endif

#define CCONV_VERSION "0.1.0"
#define CCONV_MAX_RANK 8

/* What compiled programs rely on, as a number: it grows when a function of this header is removed or takes other arguments, when a
 * struct's layout changes (a member more counts: callers make structs) or a constant's value. Functions that are added leave it as
 * it is. The shared library's name ends with it. A program that loads one asks CCONV_ABI_FITS() before anything else. */
#define CCONV_ABI 1
#define CCONV_ABI_FITS() (cconv_abi() == CCONV_ABI)

/* ---- Errors ------------------------------------------------------------------------------------------------------- */

typedef enum cconv_status {
    CCONV_OK = 0,
    CCONV_INVALID,     /* an argument, attribute or shape breaks a rule; the text says which */
    CCONV_NO_MEMORY,   /* memory could not be had; nothing was changed */
    CCONV_UNSUPPORTED, /* a valid request that this library does not fulfil */
    CCONV_BUSY,        /* the plan is being run by another thread */
    CCONV_INTERRUPTED, /* cconv_batch.interrupted or cconv_plan_cancel asked to stop; variables are as before the call */
    CCONV_IO           /* a file could not be opened, read or written; the text has the system's reason */
} cconv_status;

/* The text of this thread's last failure. Valid until the thread's next failing call; "" if there was none. */
CCONV_API const char *cconv_last_error(void);
/* Its status: what a call that returned NULL or 0 would have said. */
CCONV_API cconv_status cconv_last_status(void);

/* ---- The library and the machine ---------------------------------------------------------------------------------- */

/* The library's version, e.g. "0.1.0", and the CCONV_ABI that it was built with. */
CCONV_API const char *cconv_version(void);
CCONV_API int cconv_abi(void);

/* The instruction set in use: "portable", "avx2", "avx512" or "neon". The environment variable CCONV_ISA lowers the choice; read
 * once, when first needed. cconv_isa_error() is NULL, or says why its value was refused (the best level is used then). */
CCONV_API const char *cconv_isa(void);
CCONV_API const char *cconv_isa_error(void);

/* The levels this build has and this CPU can run, lowest first, space separated: "portable avx2". */
CCONV_API const char *cconv_isas(void);

/* The OpenMP version (yyyymm) the library was built with, 0 without OpenMP (then everything runs on one thread). */
CCONV_API int cconv_openmp(void);

/* Threads a plan uses by default: OMP_NUM_THREADS if set, else the smaller of CPU affinity and cgroup quota; at least 1, at most
 * 1024. cconv_set_num_threads(0) returns to that default. Existing plans use at most the number they were made with. When
 * processors are taken from the process later on, runs use no more threads than are left ("affinity"); when the system refuses
 * threads, they use one. A run takes no more threads than there are processors that no other run of the process uses: more would
 * only take turns (CCONV_OVERSUBSCRIBE=1 in the environment allows it, for tests). Where other processes keep threads
 * waiting, a run shorter than a tenth of a second takes one if that was sooner lately. A child made by fork() runs on one thread if
 * the library was loaded before, or an OpenMP runtime was, since its threads are not there. Results do not depend on the number of
 * threads. */
CCONV_API int cconv_num_threads(void);
CCONV_API cconv_status cconv_set_num_threads(int threads);
/* What bounds the default: "OMP_NUM_THREADS", "affinity", "cgroup quota", "cconv_set_num_threads", "fork" or "no OpenMP". */
CCONV_API const char *cconv_num_threads_reason(void);

/* Whether plans made from now on may choose Winograd's algorithm, which multiplies less for small kernels: 1 (the default) or 0. It
 * rounds a little more. A convolution that names it gets it all the same. */
CCONV_API int cconv_winograd(void);
CCONV_API void cconv_set_winograd(int allowed);

/* What the library would tell of without failing: a setting that was refused, threads that could not be had, processors that were
 * taken away. Each such thing is told once to a function that is set, in the thread whose call meets it: settings at the latest
 * when a plan is made. Nothing is printed without one. The text is the library's, and ends with the call. The function may call
 * the library, and is called by several threads at once. NULL: nobody; a call that has begun may end after cconv_set_log has. */
typedef enum cconv_log_level {
    CCONV_LOG_INFO = 0, /* good to know: the instruction set and the number of threads in use */
    CCONV_LOG_WARNING   /* something is slower, or other than was asked for */
} cconv_log_level;
typedef void (*cconv_log_function)(cconv_log_level level, const char *text, void *context);
CCONV_API void cconv_set_log(cconv_log_function function, void *context);

/* All memory comes from here. Call before anything else; NULL restores malloc and free. allocate may return NULL. */
typedef struct cconv_allocator {
    void *(*allocate)(size_t bytes, void *context);
    void (*release)(void *memory, void *context);
    void *context;
} cconv_allocator;
CCONV_API void cconv_set_allocator(const cconv_allocator *allocator);

/* How many allocations the library has made so far in this process. */
CCONV_API uint64_t cconv_allocations(void);

/* ---- Element types ------------------------------------------------------------------------------------------------ */

/* Values inside a graph are float32, int32 or bool. Arrays come in and go out as any of these, as far as cconv_array and
 * cconv_output allow; a bool is a byte, 0 or 1. */
typedef enum cconv_dtype {
    CCONV_FLOAT32 = 0,
    CCONV_FLOAT64,
    CCONV_UINT8,
    CCONV_INT32,
    CCONV_INT64,
    CCONV_INT8,
    CCONV_FLOAT16,
    CCONV_BFLOAT16,
    CCONV_BOOL
} cconv_dtype;

CCONV_API const char *cconv_dtype_name(cconv_dtype dtype); /* "float32"; NULL: there is no such type. They are numbered from 0 */
CCONV_API size_t cconv_dtype_bytes(cconv_dtype dtype);     /* of an element in an array; 0: there is no such type */

/* ---- Variables: parameters that live across runs ------------------------------------------------------------------ */

/* A float32 array with a shape, counted by reference: graphs, plans and optimizers keep what they use.
 *
 * Plans in several threads may read a variable while one thread changes it (by a run that updates it, or by writing its values and
 * touching it). A run that overlaps the change sees each element as it was or as it becomes, some one way and some the other. A
 * run that begins when the change is complete, for the run that made it has returned or cconv_variable_touch has, sees all of it
 * and nothing older. Two changes of one variable at the same time are the caller's to keep apart. */
typedef struct cconv_variable cconv_variable;

/* A new variable filled with zeros (64-byte aligned), or NULL. Every size is at least 0. */
CCONV_API cconv_variable *cconv_variable_new(int rank, const int64_t *shape);
CCONV_API cconv_variable *cconv_variable_retain(cconv_variable *variable);
CCONV_API void cconv_variable_free(cconv_variable *variable); /* NULL is allowed */

/* The values, row-major. After writing them call cconv_variable_touch, so that plans renew what they derived from them. */
CCONV_API float *cconv_variable_data(cconv_variable *variable);
CCONV_API void cconv_variable_touch(cconv_variable *variable);
CCONV_API int cconv_variable_shape(const cconv_variable *variable, int64_t *shape); /* returns the rank; shape may be NULL */
CCONV_API size_t cconv_variable_count(const cconv_variable *variable);
/* All values at once, copied from the caller's array (and touched), or to it. count must be the variable's: CCONV_INVALID, with
 * nothing copied, where it is not. */
CCONV_API cconv_status cconv_variable_set(cconv_variable *variable, const float *values, size_t count);
CCONV_API cconv_status cconv_variable_get(const cconv_variable *variable, float *values, size_t count);

/* ---- Ops: what a graph can compute -------------------------------------------------------------------------------- */

/* Attributes are given as text, "name=value name=value": strides=2,2 padding=same activation=relu. Unnamed ones take their
 * default; a name that does not exist is an error that lists those that do. */
typedef struct cconv_attribute {
    const char *name;
    const char *type;          /* "int", "float", "bool", "enum", "list" (of whole numbers) or "floats" (a list) */
    const char *default_value; /* as text; NULL: must be given */
    const char *choices;       /* of an enum: "valid|same"; else NULL */
    const char *meaning;       /* what it does, in which order a list is given, what special values stand for */
} cconv_attribute;

CCONV_API int cconv_op_count(void);
CCONV_API const char *cconv_op_name(int i);                        /* i from 0; NULL past the end */
/* "x w b?": a name each, ? optional, * any number; NULL: no such op */
CCONV_API const char *cconv_op_inputs(const char *op);
/* The element types of its inputs and its output, "b t t -> t": f float32, i int32, b bool; n float32 or int32, t any, the same at
 * each place, a any at all; the last input's letter holds for those that follow; "-> *": an attribute says it. NULL: no such op. */
CCONV_API const char *cconv_op_types(const char *op);
CCONV_API cconv_status cconv_op_attribute(const char *op, int i, cconv_attribute *attribute); /* CCONV_INVALID past the end */

/* What its inputs are, of an op whose inputs' names do not tell; else "". NULL: no such op. */
CCONV_API const char *cconv_op_meaning(const char *op);
/* All of this for people: inputs, types, and for each attribute its type, default, choices and meaning. docs/ops.md has the
 * formulas besides. Writes and returns as cconv_graph_attributes; 0: no such op. */
CCONV_API size_t cconv_op_describe(const char *op, char *text, size_t size);

/* What else is known of an op; each answer but the last three is 0 or 1. The activations that it can compute in the same pass
 * are the choices of its attribute "activation". */
typedef struct cconv_op_facts {
    int differentiable; /* gradients flow through it */
    int random;         /* its values depend on a run's seed and step; only in plans for training */
    int elementwise;    /* an element of the output depends on those of the inputs at its index only, which broadcast by
                           NumPy's rule */
    int per_sample;     /* sample i of the output depends on sample i of the inputs only, if attributes and shapes allow: a
                           graph knows (cconv_graph_per_sample) */
    int weights, bias, residual; /* the numbers, from 0, of the inputs that x (input 0) is multiplied with, that is added to
                           each channel and that is added before the activation; 0: there is none */
} cconv_op_facts;
CCONV_API cconv_status cconv_op_info(const char *op, cconv_op_facts *facts); /* CCONV_INVALID: no such op, or facts is NULL */

/* The output's element type and shape of an op, without a graph. dtypes[i] is the type of input i (dtypes NULL: all float32);
 * ranks[i] is -1 for an absent optional input; shapes[i] points to its sizes, of which -1 is unknown. name (may be NULL) is what
 * errors call the node. *dtype (if not NULL), *rank and shape[CCONV_MAX_RANK] are written. */
CCONV_API cconv_status cconv_infer(const char *op, const char *name, int n_inputs, const cconv_dtype *dtypes, const int *ranks,
                                   const int64_t *const *shapes, const char *attributes, cconv_dtype *dtype, int *rank,
                                   int64_t *shape);

/* ---- Graphs ------------------------------------------------------------------------------------------------------- */

/* One thread at a time builds a graph. When it is built, any number of threads may read it and make plans of it, at the same time:
 * plans do not change it. So one graph, with its variables, serves several threads that have a plan each. */
typedef struct cconv_graph cconv_graph;

CCONV_API cconv_graph *cconv_graph_new(void);
CCONV_API void cconv_graph_free(cconv_graph *graph); /* NULL is allowed; plans made from it must be freed first */

/* Each adds one node and returns its number, or 0. After a failure the graph stays failed: further calls return 0 and leave the
 * first error in place, so a program may check once, at cconv_plan_new. Names are copied; NULL gives one. An input whose first
 * size is -1 is fed a batch at a time; other sizes of -1 are fixed by the plan. It is float32, int32 or bool. A constant's
 * values, row-major, are copied: integers become int32 (those that do not fit are refused), floating point float32. */
CCONV_API int cconv_graph_input(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape);
CCONV_API int cconv_graph_variable(cconv_graph *graph, const char *name, cconv_variable *variable);
CCONV_API int cconv_graph_constant(cconv_graph *graph, const char *name, cconv_dtype dtype, int rank, const int64_t *shape,
                                   const void *values);
CCONV_API int cconv_graph_add(cconv_graph *graph, const char *op, const char *name, int n_inputs, const int *inputs,
                              const char *attributes);

/* Names a value as an output of the graph: the outputs, in this order, are what a plan without outputs and root of its own
 * computes, and what a file that the graph is saved to gives. Names are copied and differ; NULL: the node's name. */
CCONV_API cconv_status cconv_graph_output(cconv_graph *graph, const char *name, int node);
CCONV_API int cconv_graph_output_count(const cconv_graph *graph);
CCONV_API int cconv_graph_output_node(const cconv_graph *graph, int i);         /* i from 0; 0: there is no such output */
CCONV_API const char *cconv_graph_output_name(const cconv_graph *graph, int i); /* the graph's; NULL: no such output */

CCONV_API int cconv_graph_count(const cconv_graph *graph); /* nodes are 1 .. count */
/* The node of a name, the last one if several have it; 0: none has. */
CCONV_API int cconv_graph_find(const cconv_graph *graph, const char *name);
/* The graph's parameters: its variables, each once, by the first node that has it, in the order they were added. Writes at most
 * size node numbers (nodes may be NULL) and returns how many there are: cconv_graph_node has their names and shapes. trainable 1:
 * without those that an op changes by itself, such as moving averages, which is what a plan's wrt wants. */
CCONV_API int cconv_graph_parameters(const cconv_graph *graph, int trainable, int *nodes, int size);
/* The parameter of a name, the last one if several have it. The graph's: retain it to keep it longer. NULL: there is none. */
CCONV_API cconv_variable *cconv_graph_parameter(const cconv_graph *graph, const char *name);
CCONV_API cconv_status cconv_graph_shape(const cconv_graph *graph, int node, int *rank, int64_t *shape);
CCONV_API cconv_dtype cconv_graph_dtype(const cconv_graph *graph, int node); /* float32, int32 or bool; -1: there is no such node */

/* A node as it was added, to be read. The pointers are the graph's: they hold until the next node is added, or the graph is
 * freed. */
typedef enum cconv_kind { CCONV_INPUT = 0, CCONV_VARIABLE, CCONV_CONSTANT, CCONV_OP } cconv_kind;
typedef struct cconv_node {
    cconv_kind kind;
    const char *name;
    const char *op;           /* of CCONV_OP; else NULL */
    int n_inputs;             /* of CCONV_OP; else 0 */
    const int *inputs;        /* numbers of nodes before this one; 0: an optional input left out */
    cconv_dtype dtype;        /* float32, int32 or bool */
    int rank;
    const int64_t *shape;     /* rank sizes, -1: not known yet */
    cconv_variable *variable; /* of CCONV_VARIABLE, else NULL: retain it to keep it longer than the graph */
    const void *values;       /* of CCONV_CONSTANT, else NULL: row-major, int32 if dtype is, else float32 (of a bool 0 or 1) */
} cconv_node;
/* CCONV_INVALID: there is no such node. */
CCONV_API cconv_status cconv_graph_node(const cconv_graph *graph, int node, cconv_node *out);
/* The attributes of a CCONV_OP that are not as by default, as text from which cconv_graph_add makes the same node, to the last
 * bit; "" for other kinds. Writes at most size bytes with the final 0; returns the length the whole text has without it, 0 for
 * a node that is not there. text may be NULL if size is 0. */
CCONV_API size_t cconv_graph_attributes(const cconv_graph *graph, int node, char *text, size_t size);
/* The graph as a table for people (bug reports): for each node its number, op, shape, inputs, name and attributes. Writes and
 * returns as cconv_graph_attributes. A graph that failed has its error in the last line. */
CCONV_API size_t cconv_graph_describe(const cconv_graph *graph, char *text, size_t size);

/* 1 if sample i of each of these nodes (index i on axis 0) depends on sample i of the batched inputs only: a batch may then be
 * computed in parts. 0: it does not, or is not known to, or (see cconv_last_error) an argument is invalid. Random ops count as
 * depending on all. */
CCONV_API int cconv_graph_per_sample(const cconv_graph *graph, int n_outputs, const int *outputs);

/* ---- ONNX --------------------------------------------------------------------------------------------------------- */

/* The sizes of an input that a file leaves open, or that are to be others. */
typedef struct cconv_input_shape {
    const char *name; /* the input's; NULL: the first */
    int rank;
    int64_t shape[CCONV_MAX_RANK]; /* -1: left open, also where the file says a size */
} cconv_input_shape;

typedef struct cconv_onnx_options {
    int n_shapes; /* inputs whose sizes are given */
    const cconv_input_shape *shapes;
    const cconv_graph *parameters_of; /* a graph of the same file: its variables are used, nothing is read twice; or NULL */
    int frozen; /* 1: plans for training drop nothing and normalize by the stored statistics; 0: as in training */
} cconv_onnx_options;

/* The graph of an ONNX file, or of its bytes in memory, with names, inputs and outputs as there (images (n, c, h, w)); options may
 * be NULL. Opset 7 and later. Initializers of floating point become variables of their names, in the layout that the ops here
 * read; those of half, bfloat16 and double become float32. Integers are int32 inside. Sizes that the file leaves open, of the batch
 * or of images, stay open (-1) where the graph does not depend on them otherwise than ops here can follow; else they must be given.
 * External data is read from the folder of the file and those below it. The bytes are read, not kept. Returns NULL
 * (CCONV_UNSUPPORTED with all operators that are not supported, named with their nodes; CCONV_INVALID for what is no ONNX;
 * CCONV_IO for a file that cannot be read; CCONV_NO_MEMORY). */
CCONV_API cconv_graph *cconv_load_onnx(const char *path, const cconv_onnx_options *options);
CCONV_API cconv_graph *cconv_load_onnx_memory(const void *bytes, size_t size, const cconv_onnx_options *options);

typedef struct cconv_onnx_save_options {
    int channels_last; /* 1: all inputs and outputs have their axes as in the graph; 0: images among them are (n, c, h, w), as
                          the ecosystem expects. An image is an input that a convolution, a pooling or another op of images
                          reads, also through ops that do not mind the order, or an output that is computed channels first */
} cconv_onnx_save_options;

/* Writes what computes the graph's outputs (cconv_graph_output) as an ONNX model of opset 18, as a plan that does not train
 * computes them; options may be NULL. Inside, images are (n, c, h, w), and a Transpose stands only where an op minds. Inputs,
 * outputs, variables and nodes have the names they have in the graph, with a number behind a name that is there already; inputs
 * that no output needs, such as labels, are left out. A batch that the graph leaves open is "batch"; other open sizes stay open.
 * Variables are written as they are when this is called, as float32. Positions that take and take_along_axis give 0 for, since
 * there are none, are an error in ONNX. The file takes the place of one at `path` when it is complete; after a failure that one is
 * as it was. CCONV_UNSUPPORTED with all nodes that cannot be written, or for a model of more than 2 GB; CCONV_INVALID for a graph
 * without outputs; CCONV_IO for a path that cannot be written. */
CCONV_API cconv_status cconv_save_onnx(const cconv_graph *graph, const char *path, const cconv_onnx_save_options *options);
/* The same as bytes in memory, which the caller owns and gives back with cconv_onnx_free. After a failure *bytes is NULL. */
CCONV_API cconv_status cconv_save_onnx_memory(const cconv_graph *graph, const cconv_onnx_save_options *options, void **bytes,
                                              size_t *size);
CCONV_API void cconv_onnx_free(void *bytes); /* NULL is allowed */

/* ---- Optimizers --------------------------------------------------------------------------------------------------- */

/* One update rule with its settings, its step count, and its slots (momenta) for each variable it has met. */
typedef struct cconv_optimizer cconv_optimizer;

/* kind: one of cconv_optimizer_name, such as "sgd"; attributes as for ops ("learning_rate=0.01 momentum=0.9 clipnorm=1"). */
CCONV_API cconv_optimizer *cconv_optimizer_new(const char *kind, const char *attributes);
CCONV_API void cconv_optimizer_free(cconv_optimizer *optimizer); /* plans that use it must be freed first */
CCONV_API int cconv_optimizer_count(void);
CCONV_API const char *cconv_optimizer_name(int i);
CCONV_API cconv_status cconv_optimizer_attribute(const char *kind, int i, cconv_attribute *attribute);
/* Changes some settings; takes effect at the next step. */
CCONV_API cconv_status cconv_optimizer_set(cconv_optimizer *optimizer, const char *attributes);
CCONV_API int64_t cconv_optimizer_iterations(const cconv_optimizer *optimizer);
CCONV_API void cconv_optimizer_set_iterations(cconv_optimizer *optimizer, int64_t iterations);
/* The slots kept for a variable, created (mostly zeros) when first asked for. i from 0; NULL past the end or without memory (see
 * cconv_last_error). The optimizer owns what is returned. cconv_optimizer_slot_name(kind settings) names slot i, e.g.
 * "momentum". */
CCONV_API cconv_variable *cconv_optimizer_slot(cconv_optimizer *optimizer, cconv_variable *variable, int i);
CCONV_API const char *cconv_optimizer_slot_name(const cconv_optimizer *optimizer, int i);
/* From now on weight_decay leaves this variable alone, in plans that are made later. */
CCONV_API cconv_status cconv_optimizer_exclude_from_weight_decay(cconv_optimizer *optimizer, cconv_variable *variable);
/* From now on the steps of `optimizer` change this variable as `to` does, with its settings and its slots, in plans that are made
 * later; `to` counts along. It must live as long as `optimizer`, and delegate nothing itself. */
CCONV_API cconv_status cconv_optimizer_delegate(cconv_optimizer *optimizer, cconv_variable *variable, cconv_optimizer *to);

/* ---- Files of parameters ------------------------------------------------------------------------------------------ */

/* All parameters of a graph (cconv_graph_parameters) under their names and, with an optimizer, what it keeps for them and its count
 * of steps: training that goes on from the file goes on as if it had never ended. The format is safetensors: 8 bytes, the length of
 * the header; the header in JSON; the elements. A slot is called "optimizer/<variable>/<slot>".
 *
 * Saving is atomic: the file at path is the old one or the new one, whatever happens, and the new one is on the disk when the call
 * returns. Parameters are written as float32; their names differ and are UTF-8. Loading is all or nothing: names and shapes must be
 * those of the graph, the optimizer of the same kind, and one error names all that is missing, left over or of another shape.
 * Float32, float16, bfloat16 and float64 are read. Without an optimizer the file's state of one is passed over. Loading takes
 * memory for the whole file. No plan of these variables or this optimizer may run meanwhile.
 *
 * CCONV_IO: the system could not read or write; CCONV_INVALID: the file is damaged, or does not fit. */
CCONV_API cconv_status cconv_save_parameters(const cconv_graph *graph, const cconv_optimizer *optimizer, const char *path);
CCONV_API cconv_status cconv_load_parameters(cconv_graph *graph, cconv_optimizer *optimizer, const char *path);

/* ---- Plans -------------------------------------------------------------------------------------------------------- */

/* One way to compute a graph. One thread at a time runs it (another gets CCONV_BUSY); only cconv_plan_cancel is for others. Plans
 * of one graph run side by side, and share the variables and what is derived of them alone; how a run sees variables that change
 * meanwhile stands at cconv_variable. An optimizer is for one thread at a time, in making plans with it and in running them. */
typedef struct cconv_plan cconv_plan;

typedef struct cconv_plan_options {
    int64_t max_batch;                  /* largest batch; 0: 1 */
    const int64_t *const *input_shapes; /* for each graph input its whole shape (first size of a batched one is ignored); NULL: as
                                           in the graph, where then only the batch may be -1 */
    int n_outputs;                      /* nodes whose values are wanted; 0 without a root: the graph's outputs */
    const int *outputs;
    int training;                       /* 1: dropout drops, batch normalization uses the batch's statistics */
    int root;                           /* node to differentiate (a loss); 0: none. Not a scalar: see cconv_batch.root_gradient */
    int n_wrt;                          /* float32 nodes to differentiate with respect to: of any kind, also computed ones */
    const int *wrt;
    cconv_optimizer *optimizer;         /* updates the variables among wrt after each backward pass; NULL: none */
    int threads;                        /* 0: cconv_num_threads(); at most 1024 */
    int no_rewrite;                     /* 1: run node by node as the graph says; 0: joined where that is faster (an activation into
                                           the convolution before it, batch normalization into its weights ...) */
    int tune;                           /* 1: each convolution's algorithms are timed now and the fastest kept, remembered by sizes
                                           for this process. Takes time and memory; another machine or number of threads may
                                           choose another, whose last bits differ. 0: chosen by estimates, from sizes only */
    int no_nonfinite_check;             /* 1: Winograd's algorithm, which computes tiles of pixels together, may spread a NaN, an
                                           infinity or a number near the largest to the neighbours of the pixels that it belongs
                                           to. 0: it looks for them, in less than a hundredth of its time, and computes tiles that
                                           have some as the other algorithms do, which takes about as long as those */
    int keep_gradients;                 /* with an optimizer, 1: cconv_plan_gradient gives the gradients it was given. 0: their
                                           memory is used again, and large variables are updated within the backward pass */
    int no_update;                      /* 1: ops change no variable (moving averages, what assign sets): for a run that repeats
                                           another one for its gradients. The optimizer's variables change all the same */
    cconv_dtype precision;              /* the format that products are computed and activations stored in: CCONV_FLOAT32; the
                                           graph and its types do not change. Others: CCONV_UNSUPPORTED */
} cconv_plan_options;

CCONV_API cconv_plan *cconv_plan_new(cconv_graph *graph, const cconv_plan_options *options);
CCONV_API void cconv_plan_free(cconv_plan *plan); /* NULL is allowed */

/* An array given to a run: row-major, count rows (of the input's shape without its first size; an input that is not batched is
 * given whole, and count is ignored). Values are converted while they are gathered. A float32 input takes every type, an int32
 * input the integers and bool (numbers that do not fit are refused), a bool input takes bool. */
typedef struct cconv_array {
    const void *data;
    cconv_dtype dtype;
    int64_t count;
} cconv_array;

/* Where a run puts an output: row-major, in the output's shape. A float32 value is written as any type of floating point
 * (rounded to the nearest), an int32 value as int32, int64 or float64, a bool value as any type (0 and 1). */
typedef struct cconv_output {
    void *data; /* NULL: not wanted this time */
    cconv_dtype dtype;
} cconv_output;

typedef struct cconv_batch {
    int64_t n;                    /* samples in this run, 1 .. max_batch */
    const int64_t *rows;          /* n row numbers into each batched input; NULL: 0 .. n-1 */
    const cconv_array *inputs;    /* one for each graph input, in order of creation */
    const cconv_output *outputs;  /* one for each output of the plan; NULL: none are given */
    const float *root_gradient;   /* gradient of the root, in its shape; NULL: ones */
    uint64_t seed, step;          /* random numbers depend on these, on how many random ops the graph had before the op, and on
                                     the element's place, only */
    int (*interrupted)(void *);   /* asked a few times a second while running; non-zero stops the run. NULL: never */
    void *context;                /* its argument */
} cconv_batch;

/* Forward; then, if the plan has a root, backward; with or after it the update. All variables are updated, or (after a run that was
 * interrupted, or met a value that an op cannot compute with, such as a label that is no class: CCONV_INVALID) none. Allocates
 * nothing. A plan with an optimizer and without keep_gradients may refuse to run when clipping by norm was turned on after the
 * plan was made. */
CCONV_API cconv_status cconv_plan_run(cconv_plan *plan, const cconv_batch *batch);

/* Asks the run that is going on to stop, from any thread (also from a signal handler), and returns at once. The run ends behind
 * the op that it is at with CCONV_INTERRUPTED and variables as before it, unless it changes them already: then it ends as ever.
 * Outputs are undefined. Without a run going on nothing happens, and the next one is not concerned: who must stop runs that have
 * not begun tells so to the thread that begins them. The plan must not be freed before both calls have returned. */
CCONV_API cconv_status cconv_plan_cancel(cconv_plan *plan);

/* The gradient of the root with respect to a node of wrt, from the last run, in the node's shape; NULL if it is not in wrt, or not
 * kept (keep_gradients). It lives in the plan until its next run. */
CCONV_API const float *cconv_plan_gradient(const cconv_plan *plan, int node);
/* The shape an output or wrt node has for a batch of n. */
CCONV_API cconv_status cconv_plan_shape(cconv_plan *plan, int node, int64_t n, int *rank, int64_t *shape);
/* Memory the plan uses, without the variables. Packed and folded weights that it shares with other plans of the same variables
 * count; what all plans of the process share is told by the second. */
CCONV_API size_t cconv_plan_bytes(const cconv_plan *plan);
CCONV_API size_t cconv_shared_bytes(void);
/* Whether runs from now on are timed, step by step (0: not, as at first). Times seen so far are forgotten. Not during a run. */
CCONV_API cconv_status cconv_plan_profile(cconv_plan *plan, int on);
/* A table of the plan's nodes in the order of work: op, shape, algorithm, bytes (output, what is kept for backward, packed
 * weights, the larger scratch), after timed runs the milliseconds of one run, forward and backward, and the name. Writes at
 * most size bytes with the final 0; returns the length the whole text has without it. Not during a run. */
CCONV_API size_t cconv_plan_describe(const cconv_plan *plan, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
