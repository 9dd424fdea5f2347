/* Files of named tensors in the format safetensors: the length of the header (8 bytes, little-endian), the header in JSON, the
 * elements. */
#ifndef CC_SAFETENSORS_H
#define CC_SAFETENSORS_H

#include "base/shape.h"
#include "base/status.h"
#include <stdbool.h>

typedef struct cc_tensor { /* as it stands in a file */
    const char *name;
    const char *type; /* "F32" */
    int dtype;        /* a cconv_dtype of floating point; -1: another */
    int rank;         /* CCONV_MAX_RANK + 1: more, of which dim has the first */
    int64_t dim[CCONV_MAX_RANK];
    uint64_t begin, end; /* its bytes, counted from the first element of all */
    bool used;           /* for who reads the file */
} cc_tensor;

typedef struct cc_metadata {
    const char *key, *value;
} cc_metadata;

typedef struct cc_safetensors {
    uint8_t *bytes; /* the whole file */
    const uint8_t *elements;
    cc_tensor *tensors; /* by name */
    int n_tensors;
    cc_metadata *metadata;
    int n_metadata;
} cc_safetensors;

/* Reads a file. Nothing in it is believed before it is compared with the file's size: tensors lie in it one behind the other, each
 * as long as its shape says, and fill it; names differ. Freed by cc_safetensors_free, also after a failure. */
cconv_status cc_safetensors_read(const char *path, cc_safetensors *file);
void cc_safetensors_free(cc_safetensors *file);

/* NULL: there is none of that name. */
cc_tensor *cc_safetensors_find(const cc_safetensors *file, const char *name);
const char *cc_safetensors_metadata(const cc_safetensors *file, const char *key);

/* All elements as float32, of a tensor whose dtype is known. */
void cc_safetensors_elements(const cc_safetensors *file, const cc_tensor *tensor, float *to);

typedef struct cc_named { /* a float32 array to be written */
    const char *name;
    const cc_shape *shape;
    const float *values;
} cc_named;

/* Writes a file, atomically. Names differ and are UTF-8. */
cconv_status cc_safetensors_write(const char *path, int n, const cc_named *tensors, int n_metadata,
                                  const cc_metadata *metadata);

/* Whether numbers in memory lie as in the file, the lowest byte first; else CCONV_UNSUPPORTED. */
cconv_status cc_safetensors_check_machine(void);

#endif
