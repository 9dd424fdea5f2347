/* An ONNX model as it stands in its file: nodes, initializers, inputs and outputs, by their names. Attributes and elements of
 * tensors are read when they are asked for. The file's bytes must outlive it. */
#ifndef CC_ONNX_MODEL_H
#define CC_ONNX_MODEL_H

#include "base/shape.h"
#include "onnx/wire.h"

/* TensorProto.DataType */
typedef enum onnx_type {
    ONNX_UNDEFINED = 0,
    ONNX_FLOAT,
    ONNX_UINT8,
    ONNX_INT8,
    ONNX_UINT16,
    ONNX_INT16,
    ONNX_INT32,
    ONNX_INT64,
    ONNX_STRING,
    ONNX_BOOL,
    ONNX_FLOAT16,
    ONNX_DOUBLE,
    ONNX_UINT32,
    ONNX_UINT64,
    ONNX_COMPLEX64,
    ONNX_COMPLEX128,
    ONNX_BFLOAT16
} onnx_type;

typedef struct onnx_tensor {
    const char *name;
    onnx_type type;
    int rank;
    int64_t dim[CCONV_MAX_RANK];
    onnx_bytes message;   /* its fields, with the elements */
    const char *location; /* of external data: the file's name, and what of it; else NULL */
    uint64_t offset, length;
    bool has_length;
} onnx_tensor;

typedef struct onnx_attribute {
    const char *name;
    onnx_bytes message;
    bool asked; /* a reader has looked for it (node_attributes.c) */
} onnx_attribute;

typedef struct onnx_node {
    const char *name, *op, *domain;
    int n_inputs, n_outputs, n_attributes;
    const char **inputs, **outputs; /* "": left out */
    onnx_attribute *attributes;
} onnx_node;

typedef struct onnx_value_info {
    const char *name;
    onnx_type type;                       /* ONNX_UNDEFINED: no tensor, or no word of it */
    int rank;                             /* -1: no word of its shape */
    int64_t dim[CCONV_MAX_RANK];          /* -1: open */
    const char *dim_name[CCONV_MAX_RANK]; /* of an open size that has a name; else NULL */
} onnx_value_info;

typedef struct onnx_graph {
    int n_nodes, n_initializers, n_inputs, n_outputs;
    onnx_node *nodes;
    onnx_tensor *initializers;
    onnx_value_info *inputs, *outputs; /* initializers may stand among the inputs, too */
} onnx_graph;

typedef struct onnx_model {
    int64_t opset; /* of the domain "" */
    onnx_graph graph;
    int depth;                 /* of graphs within graphs, while they are read */
    struct onnx_block *memory; /* what all of this stands in */
} onnx_model;

/* The model in these bytes; freed by onnx_model_free, also after a failure. */
cconv_status onnx_model_read(onnx_bytes bytes, onnx_model *model);
void onnx_model_free(onnx_model *model);

/* A tensor and a graph within an attribute; memory is the model's. */
cconv_status onnx_tensor_parse(onnx_model *model, onnx_bytes message, onnx_tensor *tensor);
cconv_status onnx_graph_parse(onnx_model *model, onnx_bytes message, onnx_graph *graph);
/* Bytes of the model as text with a final 0. NULL, with the error text set, without memory, or if there is a 0 in them. */
const char *onnx_text_parse(onnx_model *model, onnx_bytes bytes);
/* Memory that lives as long as the model; NULL, with the error text set, if it cannot be had. */
void *onnx_keep(onnx_model *model, uint64_t bytes);

/* What a value of this type is inside, float32, int32 or bool; false: it is not supported. */
bool onnx_type_inside(onnx_type type, cconv_dtype *dtype);
const char *onnx_type_name(onnx_type type);

#endif
