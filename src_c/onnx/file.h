/* The bytes of a model's file: mapped where the system maps files, so that what was read need not stay in memory. */
#ifndef CC_ONNX_FILE_H
#define CC_ONNX_FILE_H

#include "onnx/wire.h"

typedef struct onnx_file {
    onnx_bytes bytes;
    bool mapped; /* else they were read, into memory of base/alloc.h */
} onnx_file;

cconv_status onnx_file_open(const char *path, onnx_file *file);
void onnx_file_close(onnx_file *file); /* one that is not open, {0}, is allowed */

/* Bytes of a mapped file that will not be read soon: their memory may be used for something else. */
void onnx_file_forget(const onnx_file *file, onnx_bytes bytes);

#endif
