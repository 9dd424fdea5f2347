/* ONNX models written field by field, into a buffer: what no writer of this library would write can be. */
#ifndef ONNX_BYTES_H
#define ONNX_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum { ONNX_BYTES = 1 << 14 };
typedef struct onnx_text {
    size_t size;
    uint8_t data[ONNX_BYTES];
} onnx_text;

void put_number(onnx_text *m, unsigned field, int64_t value);
void put_bytes(onnx_text *m, unsigned field, const void *bytes, size_t size);
void put_text(onnx_text *m, unsigned field, const char *text);
void put_message(onnx_text *m, unsigned field, const onnx_text *inner);

/* Parts of a graph: a node of these inputs (NULL at the end), one output and an attribute of whole numbers (name NULL: none); a
 * tensor (type of TensorProto) of bytes in raw_data, or in a file of external data; an input or output of float32, sizes below 0
 * open. */
void put_node_with(onnx_text *graph, const char *op, const char *const *inputs, const char *output, const char *name, int n,
                   const int64_t *numbers);
void put_node(onnx_text *graph, const char *op, const char *const *inputs, const char *output);
void put_tensor(onnx_text *graph, const char *name, int type, int rank, const int64_t *dim, const void *bytes, size_t size);
void put_external(onnx_text *graph, const char *name, int64_t count, const char *location, const char *offset);
void put_value(onnx_text *graph, unsigned field, const char *name, int rank, const int64_t *dim);

/* The model of a graph, opset 17. */
void put_model(onnx_text *model, const onnx_text *graph);

enum { GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

#endif
