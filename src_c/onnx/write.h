/* What a writer of an op is written with. An op has a row in write_table.c: the function that writes it, and the ONNX operator that
 * this function is about. It looks at the node's attributes and inputs, adds ONNX nodes and returns the value that stands for the
 * node:
 *
 *     int save_one_operator(save_call *c)
 *     {
 *         c->held = save_common_order(c);
 *         return save_add1(c, c->onnx, save_brought(c, 0, &c->held));
 *     }
 *
 * Every call does nothing after a failure: a writer is written straight through. Values are numbers, of which 0 is an input left
 * out.
 *
 * Orders of axes. ONNX has channels before the image's axes, graphs here have them behind. So each value is held in an order of
 * axes, and the same one may be there in several forms. A convolution takes and gives channels first; ops that do not mind
 * carry the order on; a Transpose is written only where an op minds. Variables and constants are written in the order they are
 * wanted in. */
#ifndef CC_ONNX_WRITE_H
#define CC_ONNX_WRITE_H

#include "algos/window.h"
#include "graph/graph.h"

typedef struct saver saver; /* a graph, while it is written */

typedef struct save_order { /* axis k of what is held is axis axis[k] of the graph's value */
    int rank;
    int axis[CCONV_MAX_RANK];
} save_order;

typedef struct save_call { /* a node, while it is written */
    saver *s;
    const cc_node *node;
    int number;
    const char *onnx; /* of the row: the name of an operator, or why there is none */
    save_order held;  /* of the result; at first as in the graph */
} save_call;

/* TensorProto.DataType */
enum { SAVE_FLOAT = 1, SAVE_INT32 = 6, SAVE_INT64 = 7, SAVE_BOOL = 9, SAVE_UINT32 = 12 };

/* The node cannot be written; the sentence says why. Writing goes on with other nodes, to name all. Returns 0. */
int save_refuse(save_call *c, const char *format, ...) CC_PRINTF(2, 3);
int save_without_memory(save_call *c); /* likewise, and ends the writing */

/* ---- The node ------------------------------------------------------------------------------------------------------ */

int save_opset(const save_call *c);
bool save_has(const save_call *c, int k); /* input k is there, and not left out */
const cc_node *save_source(const save_call *c, int k);
const cc_shape *save_shape(const save_call *c, int k); /* of input k, in the graph's order */
bool save_read_only_by(const save_call *c, const cc_op *op);

/* Attributes by their names; save_has_attribute: the op has one of that name. */
bool save_has_attribute(const save_call *c, const char *name);
int64_t save_int(const save_call *c, const char *name); /* int, bool and the number of an enum's choice */
float save_float(const save_call *c, const char *name);
const cc_list *save_list(const save_call *c, const char *name);
const cc_floats *save_floats(const save_call *c, const char *name);

/* ---- Orders -------------------------------------------------------------------------------------------------------- */

save_order save_same_order(int rank);                 /* as in the graph */
save_order save_with_axis_second(int rank, int axis); /* the others as in the graph */
save_order save_images(int rank);                     /* (n, c, h, w) of (n, h, w, c) */
bool save_orders_equal(const save_order *a, const save_order *b);
int save_position(const save_order *o, int64_t axis); /* where the graph's axis stands; below 0 it counts from the last */
save_order save_without(const save_order *o, unsigned dropped);      /* what is left when axes (bits, of the graph's) go */
bool save_moves_nothing(const cc_shape *shape, const save_order *o); /* only axes of size 1 change places */
cc_shape save_held_shape(const cc_shape *shape, const save_order *o);

/* The order that an op that does not mind had best be computed in; of the inputs of the output's rank. */
save_order save_common_order(save_call *c);
save_order save_held(save_call *c, int k); /* that input k is there in, whatever others it may be given in besides */

/* Input k in an order of its rank. */
int save_form(save_call *c, int k, const save_order *o);
/* As in the graph. */
int save_input(save_call *c, int k);
/* As an operand that broadcasts with others in this order: its missing first axes are of size 1. */
int save_brought(save_call *c, int k, const save_order *o);
/* Whatever its order, if its elements lie as the graph's do; else in the graph's order. */
int save_row_major(save_call *c, int k);

/* ---- ONNX nodes ---------------------------------------------------------------------------------------------------- */

/* Adds a node of one output and returns its value. Inputs of 0 are left out. */
int save_add(save_call *c, const char *onnx, int n, const int *inputs);
int save_add1(save_call *c, const char *onnx, int x);
int save_add2(save_call *c, const char *onnx, int a, int b);
int save_add3(save_call *c, const char *onnx, int x, int a, int b);
/* Output i of the node added last, which gets so many. */
int save_more_outputs(save_call *c, int i);

/* Attributes of the node added last. */
void save_set_int(save_call *c, const char *name, int64_t value);
void save_set_float(save_call *c, const char *name, float value);
void save_set_text(save_call *c, const char *name, const char *text);
void save_set_ints(save_call *c, const char *name, int n, const int64_t *values);

/* Initializers: numbers of float32, of the type of the node's input k, whole numbers (int64, rank 1), one of them (rank 0), and
 * n times the same float32. */
int save_number(save_call *c, double value);
int save_like(save_call *c, int k, double value);
int save_ints(save_call *c, int n, const int64_t *values);
int save_index(save_call *c, int64_t value);
int save_repeated(save_call *c, int rank, const int64_t *dim, float value);
int save_counted(save_call *c, int32_t n); /* 0, 1 ... n - 1 as int32 */
/* The factors of Resize: 1 for batch and channels, then those of the image. */
int save_scales(save_call *c, int axes, const float *scale);

int save_cast(save_call *c, int x, int type); /* SAVE_FLOAT ... */
int save_dtype(cconv_dtype dtype);            /* of a value of the graph */
int save_transpose(save_call *c, int x, int n, const int64_t *axes);
/* x in a shape whose open sizes are told by `like`, a value of the same shape: a constant where that will do. */
int save_reshape_like(save_call *c, int x, const cc_shape *shape, int like);
int save_reshape(save_call *c, int x, int n, const int64_t *sizes); /* 0: as x has there, one -1: what is left */
/* x with `value` around it (0: zeros): pads before, then behind each axis. Names the axes, else ONNX Runtime takes zeros for the
 * padding of a pool behind them, which is not part of its image. */
int save_padded(save_call *c, int x, int rank, const int64_t *pads, int value);
int save_activated(save_call *c, int x, int activation, float alpha);
int save_log1p(save_call *c, int x);

/* ---- The writers --------------------------------------------------------------------------------------------------- */

typedef struct save_row {
    const cc_op *op;
    int (*write)(save_call *c); /* NULL: cannot be written; onnx says why */
    const char *onnx;
} save_row;

const save_row *save_row_of(const cc_op *op);

#define SAVE_WRITER(name) int save_##name(save_call *c);
#include "onnx/writers.def"
#undef SAVE_WRITER

#endif
