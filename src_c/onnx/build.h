/* What readers of several families put into the graph. As those of reader.h, each does nothing after a failure. */
#ifndef CC_ONNX_BUILD_H
#define CC_ONNX_BUILD_H

#include "onnx/reader.h"

/* ---- Lists ---------------------------------------------------------------------------------------------------------- */

/* Whole numbers of a known input, or, if `attribute` is not NULL, of that attribute: those that have a place for each axis. Returns
 * whether there are any; *n is 0 else. More than CCONV_MAX_RANK are damage. */
bool onnx_input_numbers(onnx_call *c, int i, int *n, int64_t v[CCONV_MAX_RANK]);
bool onnx_attribute_numbers(onnx_call *c, const char *name, int *n, int64_t v[CCONV_MAX_RANK]);
/* Whether an input is known, its elements being 0, 1 ... n - 1; then its shape. */
bool onnx_counts(onnx_call *c, int i, int64_t n, cc_shape *shape);
/* The only element of a known input; a fraction is cut off. */
int64_t onnx_input_number(onnx_call *c, int i, int64_t otherwise);
/* Each of the n numbers as an axis of `rank`, from 0; one that stands there twice is damage. */
bool onnx_axes(onnx_call *c, int n, int64_t *axes, int rank);

/* ---- Numbers -------------------------------------------------------------------------------------------------------- */

/* Integers as the type of the file holds them: uint8, int8, uint16 and int16 wrap. Those of 32 and 64 bits stay what they are, as
 * everywhere here: numbers that fit int32. */
int onnx_wrap(onnx_call *c, int node, onnx_type type);
/* Positions along an axis of this size: those below 0 count from its end. */
int onnx_from_start(onnx_call *c, int positions, int64_t size);
/* A constant of int32: start, start + step, ..., n of them, in this shape, of which it is the only axis that is not 1. */
int onnx_steps(onnx_call *c, int64_t n, int64_t start, int64_t step, int rank, int axis);

/* Input 1 of an operator of two operands, as it broadcasts with input 0: before opset 7 its first axis is the one of input 0 that
 * `axis` names. */
int onnx_second(onnx_call *c);

/* ---- Parts of a tensor ---------------------------------------------------------------------------------------------- */

/* Elements begin .. begin + count - 1 of an axis; the node itself if these are all. */
int onnx_slice(onnx_call *c, int node, int axis, int64_t begin, int64_t count);
/* Elements start, start + step, ... of an axis, n of them. */
int onnx_take_steps(onnx_call *c, int node, int axis, int64_t n, int64_t start, int64_t step);
/* Elements of an axis by their positions, which are copied. */
int onnx_take(onnx_call *c, int node, int axis, int64_t n, const int32_t *positions);
/* The node in this shape, repeated along axes that it does not have or where its size is 1. */
int onnx_broadcast(onnx_call *c, int node, int rank, const int64_t *dim);
/* n + 1 axes: one of size 1 more, number `axis`. */
int onnx_expand(onnx_call *c, int node, int axis);

#endif
