/* The elements of tensors in a file, and arrays of values that are known while a model is read. */
#ifndef CC_ONNX_ELEMENTS_H
#define CC_ONNX_ELEMENTS_H

#include "onnx/model.h"

/* Row-major, as many as the shape says, from the message or from a file of external data in `folder` (NULL: there is none, and
 * external data is refused). Numbers of floating point become float32, whole ones int64 (a bool 0 or 1). */
cconv_status onnx_read_floats(const char *folder, const onnx_tensor *tensor, float *to);
cconv_status onnx_read_ints(const char *folder, const onnx_tensor *tensor, int64_t *to);

/* Whether the message, or its file, is long enough for as many elements as the shape says: nothing is asked for before. */
cconv_status onnx_check_count(const char *folder, const onnx_tensor *tensor);

/* Where the elements of a float32 tensor stand in the file, one after the other as this processor has them, at any address; false:
 * they stand in another way. */
bool onnx_plain_floats(const onnx_tensor *tensor, onnx_bytes *bytes);

/* Axis k of the result is axis axes[k] of from, whose floats may stand at any address. */
void onnx_order_floats(const cc_shape *from_shape, const void *from, const int *axes, float *to);
/* Of it, what cells begin .. end-1 of the first axis of `from` have. */
void onnx_order_some_floats(const cc_shape *from_shape, const void *from, const int *axes, int64_t begin, int64_t end,
                            float *to);

#endif
