/* A graph while it is written: what save.c, write_orders.c, write_nodes.c and write_model.c share. Nothing is encoded before all is
 * known: nodes and values are kept as numbers, so that a value can be given its name last. */
#ifndef CC_ONNX_SAVER_H
#define CC_ONNX_SAVER_H

#include "onnx/write.h"
#include "onnx/write_wire.h"

typedef struct save_array { /* one that grows */
    void *items;
    size_t n, room;
} save_array;

/* Room for n more items of that many bytes, counted already; NULL without memory, which the saver remembers. */
void *save_grow(saver *s, save_array *array, size_t n, size_t bytes);

typedef struct save_value {
    int owner;  /* the node of the graph that it belongs to; 0: to none */
    bool fixed; /* an input or an initializer: it cannot be renamed */
    char *name;
} save_value;

typedef struct save_node {
    const char *onnx;
    char *name;
    int owner;
    size_t first_input, n_inputs; /* in `inputs` */
    int first_output, n_outputs;  /* values one after another */
    size_t attributes, bytes;     /* where their encoding begins in `encoded`, and its length */
} save_node;

typedef struct save_tensor {
    int value, type; /* TensorProto.DataType */
    int rank;
    int64_t dim[CCONV_MAX_RANK];
    const cconv_variable *variable; /* whose elements they are, */
    const cc_shape *shape;          /* as if of this shape, */
    save_order order;               /* in this order; missing first axes are of size 1. NULL: */
    size_t data, bytes;             /* where they stand in `data`, as in the file */
    bool repeated;                  /* the one element there is all of them */
} save_tensor;

typedef struct save_held_value { /* node `node`, with axes of size 1 in front up to the order's rank, in this order */
    save_order order;
    int value, next; /* next form of the same node; 0: none */
} save_held_value;

typedef struct save_output {
    const char *name;
    int node, value;
    save_order order;
    bool batched; /* its first size is the batch */
} save_output;

struct saver {
    const cconv_graph *graph;
    bool channels_last;
    int opset;           /* the lowest that has all that is written */
    cconv_status status; /* of the first failure */
    save_array values, nodes, inputs, encoded, tensors, data, forms, outputs, refused; /* items from number 1: values, forms */
    int *first_form, *last_form;                                                       /* of each node of the graph */
    save_order *wishes;     /* the order that readers of each node would like best; rank -1: any */
    bool *needed, *batched; /* the outputs need it; its first size is the batch */
    int owner;              /* the node of the graph that is being written */
};

int save_new_value(saver *s);
save_value *save_value_of(saver *s, int value);
int save_new_tensor(saver *s, const save_tensor *tensor);

/* The variable or constant that a node is, be it in another shape; 0: it is none. Such nodes are written when somebody reads them,
 * in the order they are wanted in. */
int save_initializer_of(const saver *s, int node);

/* Says that a node of the graph is there in this form; the first one said is the one it is held in. */
void save_add_form(saver *s, int node, const save_order *o, int value);
const save_held_value *save_first_form(const saver *s, int node);
/* A node in an order; see save_form and save_brought. */
int save_node_form(save_call *c, int node, const save_order *o);

/* Fills `wishes` of the nodes that are needed. */
void save_find_wishes(saver *s);

/* Gives names to all, and writes the model. */
cconv_status save_name_all(saver *s);
void save_write_model(wire_output *out, const void *saver);

#endif
