/* What a reader of an operator is written with. An operator of ONNX has a function onnx_read_<Name> in the file of its family, and
 * a line in operators.def; it looks at its inputs and attributes, adds ops to the graph and gives its outputs:
 *
 *     bool onnx_read_Relu(onnx_call *c)
 *     {
 *         return onnx_give(c, 0, onnx_add1(c, "relu", onnx_input(c, 0), NULL));
 *     }
 *
 * Every call fails quietly after a failure: a reader is written straight through. Values stand in the order of axes of the file
 * (images n, c, h, w): who computes channels last puts transposes around it, which plans move outward and cancel.
 *
 * All sizes are known here. A size that the file leaves open has two values, one after the other: the whole graph is built with
 * each, and open.c makes one graph of the two. */
#ifndef CC_ONNX_READER_H
#define CC_ONNX_READER_H

#include "onnx/model.h"

typedef struct onnx_call onnx_call; /* a node, while it is read */

/* Lists longer than this are refused. */
#define ONNX_MAX_LIST 4096
typedef struct onnx_list { /* whole numbers */
    int n;
    int64_t v[ONNX_MAX_LIST];
} onnx_list;

/* ---- Failure: each returns false, also where 0 is a node ------------------------------------------------------------ */

/* The node cannot be read; the text says with what: "mode 'lanczos'". Reading goes on with other nodes, to name all. */
bool onnx_refuse(onnx_call *c, const char *format, ...) CC_PRINTF(2, 3);
/* The file breaks a rule of ONNX: "expected 4 pads, received 3". Reading ends. */
bool onnx_damaged(onnx_call *c, const char *format, ...) CC_PRINTF(2, 3);
bool onnx_failed(const onnx_call *c);

/* ---- The node ------------------------------------------------------------------------------------------------------ */

int64_t onnx_opset(const onnx_call *c);
bool onnx_frozen(const onnx_call *c); /* cconv_onnx_options.frozen */
/* The size in place of a batch that is open where the file says 1; 0: there is none. */
int64_t onnx_opened_batch(const onnx_call *c);
int onnx_inputs(const onnx_call *c); /* how many are listed, left out ones too */
int onnx_outputs(const onnx_call *c);
bool onnx_wants(const onnx_call *c, int k); /* output k is listed and has a name */

/* Attributes, or what they are if the node has none of that name. Those that a reader asks for nowhere on its way are refused: it
 * asks for all that the operator has in this opset, whether it needs them then or not. */
bool onnx_has_attribute(onnx_call *c, const char *name);
int64_t onnx_int(onnx_call *c, const char *name, int64_t otherwise);
float onnx_float(onnx_call *c, const char *name, float otherwise);
const char *onnx_string(onnx_call *c, const char *name, const char *otherwise);
bool onnx_ints(onnx_call *c, const char *name, onnx_list *list);         /* false: there is none; n is 0 then */
bool onnx_floats(onnx_call *c, const char *name, float *values, int *n); /* n: room, then how many; false: there is none */
bool onnx_tensor_attribute(onnx_call *c, const char *name, onnx_tensor *tensor);
bool onnx_message_attribute(onnx_call *c, const char *name, onnx_bytes *message); /* a graph, as it stands in the file */
void onnx_ignore(onnx_call *c, const char *name);                                 /* one that changes nothing here */

/* ---- Inputs -------------------------------------------------------------------------------------------------------- */

bool onnx_has(const onnx_call *c, int i); /* it is there, and not left out */
/* Its node in the graph. 0: left out, or a failure. */
int onnx_input(onnx_call *c, int i);
/* The same with its axes in another order: a variable of an initializer is stored like this, another value is transposed. Of axes
 * there are CCONV_MAX_RANK, since the value may have another rank than expected; those beyond its rank are not used. */
int onnx_input_ordered(onnx_call *c, int i, const int *axes);
/* Its type in the file: uint8 and int64 are int32 in the graph, float16 is float32. ONNX_UNDEFINED: left out. */
onnx_type onnx_input_type(const onnx_call *c, int i);

/* Whether its elements are known now: initializers, constants, and what is computed of shapes. Then, as whole numbers or floats:
 * with the second two a value that is not known is refused, the node named. */
bool onnx_known(onnx_call *c, int i);
bool onnx_known_ints(onnx_call *c, int i, onnx_list *list);
bool onnx_known_floats(onnx_call *c, int i, float *values, int *n); /* n: room, then how many */

/* ---- The graph ----------------------------------------------------------------------------------------------------- */

/* Shape and type (float32, int32 or bool) of a node; all sizes are known. After a failure: rank 0. */
const cc_shape *onnx_shape(const onnx_call *c, int node);

/* Adds an op; attributes as for cconv_graph_add, formatted as by printf, of which there are %d, %lld, %s and, for floats, %.9g
 * ("axis=%d"); NULL: none. An input of 0 is left out. */
int onnx_add(onnx_call *c, const char *op, int n_inputs, const int *inputs, const char *attributes, ...) CC_PRINTF(5, 6);
int onnx_add1(onnx_call *c, const char *op, int x, const char *attributes, ...) CC_PRINTF(4, 5);
int onnx_add2(onnx_call *c, const char *op, int a, int b, const char *attributes, ...) CC_PRINTF(5, 6);
/* "name=1,2,3" in text, which has room for 256 bytes; returns text. */
const char *onnx_list_text(char text[256], const char *name, int n, const int64_t *values);

/* Room for count elements of a constant, zeros, given back by cc_free. NULL: memory cannot be had, or too much is computed while
 * the model is read (budget.c). */
void *onnx_work(onnx_call *c, int64_t count, size_t size);
int onnx_constant(onnx_call *c, cconv_dtype dtype, int rank, const int64_t *dim, const void *values);
int onnx_scalar(onnx_call *c, int like, double value);             /* of the type of node `like`, rank 0 */
int onnx_tensor_constant(onnx_call *c, const onnx_tensor *tensor); /* of an attribute */

/* A node with its axes in another order, in another shape, of another type (nothing is added if it is so already). */
int onnx_transpose(onnx_call *c, int node, int n, const int *axes);
int onnx_reshape(onnx_call *c, int node, int rank, const int64_t *dim);
int onnx_cast(onnx_call *c, int node, cconv_dtype dtype);
/* (n, c, ...) to (n, ..., c), and back. */
int onnx_channels_last(onnx_call *c, int node);
int onnx_channels_first(onnx_call *c, int node);
/* An axis below 0 counts from the end of `rank`; one outside is damage, the answer then 0. */
int onnx_axis(onnx_call *c, int64_t axis, int rank);

/* ---- Outputs ------------------------------------------------------------------------------------------------------- */

/* Output k is this node. Its type in the file is that of the first input that is of this kind (float, int, bool), or float, int64
 * and bool where there is none; the second names it. An output that nobody wants is ignored. */
bool onnx_give(onnx_call *c, int k, int node);
bool onnx_give_as(onnx_call *c, int k, int node, onnx_type type);
/* Output k is input i itself, also where that is a tensor of the file; its type is `type`, ONNX_UNDEFINED: the input's. */
bool onnx_give_input(onnx_call *c, int k, int i, onnx_type type);
/* Output k is known: whole numbers, such as a shape, or floats. */
bool onnx_give_ints(onnx_call *c, int k, int rank, const int64_t *dim, const int64_t *values);
bool onnx_give_floats(onnx_call *c, int k, int rank, const int64_t *dim, const float *values);
/* Output k is a tensor that stands in the file (Constant). */
bool onnx_give_tensor(onnx_call *c, int k, const onnx_tensor *tensor);

/* ---- The readers ---------------------------------------------------------------------------------------------------- */

#define ONNX_OPERATOR(name)     bool onnx_read_##name(onnx_call *c);
#define ONNX_RUN_OPERATOR(name) ONNX_OPERATOR(name)
#include "onnx/operators.def"

#endif
