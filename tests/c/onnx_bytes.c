#include "onnx_bytes.h"
#include <string.h>

static void put_varint(onnx_text *m, uint64_t value)
{
    do {
        m->data[m->size++] = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
}

void put_number(onnx_text *m, unsigned field, int64_t value)
{
    put_varint(m, field << 3);
    put_varint(m, (uint64_t)value);
}

void put_bytes(onnx_text *m, unsigned field, const void *bytes, size_t size)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, size);
    memcpy(m->data + m->size, bytes, size);
    m->size += size;
}

void put_text(onnx_text *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

void put_message(onnx_text *m, unsigned field, const onnx_text *inner)
{
    put_bytes(m, field, inner->data, inner->size);
}

void put_node_with(onnx_text *graph, const char *op, const char *const *inputs, const char *output, const char *name, int n,
                   const int64_t *numbers)
{
    onnx_text node = {0}, attribute = {0};
    for (; *inputs; ++inputs) put_text(&node, 1, *inputs);
    put_text(&node, 2, output);
    put_text(&node, 3, output);
    put_text(&node, 4, op);
    if (name) {
        put_text(&attribute, 1, name);
        for (int i = 0; i < n; ++i) put_number(&attribute, n == 1 ? 3 : 8, numbers[i]);
        put_message(&node, 5, &attribute);
    }
    put_message(graph, 1, &node);
}

void put_node(onnx_text *graph, const char *op, const char *const *inputs, const char *output)
{
    put_node_with(graph, op, inputs, output, NULL, 0, NULL);
}

void put_tensor(onnx_text *graph, const char *name, int type, int rank, const int64_t *dim, const void *bytes, size_t size)
{
    onnx_text tensor = {0};
    for (int k = 0; k < rank; ++k) put_number(&tensor, 1, dim[k]);
    put_number(&tensor, 2, type);
    put_text(&tensor, 8, name);
    put_bytes(&tensor, 9, bytes, size);
    put_message(graph, 5, &tensor);
}

static void put_entry(onnx_text *tensor, const char *key, const char *value)
{
    onnx_text entry = {0};
    put_text(&entry, 1, key);
    put_text(&entry, 2, value);
    put_message(tensor, 13, &entry);
}

void put_external(onnx_text *graph, const char *name, int64_t count, const char *location, const char *offset)
{
    onnx_text tensor = {0};
    put_number(&tensor, 1, count);
    put_number(&tensor, 2, 1);
    put_text(&tensor, 8, name);
    put_entry(&tensor, "location", location);
    put_entry(&tensor, "offset", offset);
    put_number(&tensor, 14, 1);
    put_message(graph, 5, &tensor);
}

void put_value(onnx_text *graph, unsigned field, const char *name, int rank, const int64_t *dim)
{
    onnx_text shape = {0}, tensor = {0}, type = {0}, info = {0};
    for (int k = 0; k < rank; ++k) {
        onnx_text size = {0};
        if (dim[k] >= 0)
            put_number(&size, 1, dim[k]);
        else
            put_text(&size, 2, "n");
        put_message(&shape, 1, &size);
    }
    put_number(&tensor, 1, 1);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&info, 1, name);
    put_message(&info, 2, &type);
    put_message(graph, field, &info);
}

void put_model(onnx_text *model, const onnx_text *graph)
{
    onnx_text opset = {0};
    put_text(&opset, 1, "");
    put_number(&opset, 2, 17);
    model->size = 0;
    put_number(model, 1, 8);
    put_message(model, 7, graph);
    put_message(model, 8, &opset);
}
