/* Elements of tensors: in raw_data, in the typed fields of the message, or in a file beside the model. */
#if !defined(_WIN32) && !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 /* realpath, PATH_MAX */
#endif
#include "onnx/elements.h"
#include "base/alloc.h"
#include "base/type.h"
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct elements { /* where they go: one of the two */
    onnx_type type;
    float *floats;
    int64_t *ints;
    int64_t n, count; /* so far, wanted */
} elements;

/* ---- One element ---------------------------------------------------------------------------------------------------- */

static size_t bytes_of(onnx_type type)
{
    switch (type) {
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_BOOL: return 1;
    case ONNX_UINT16:
    case ONNX_INT16:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16: return 2;
    case ONNX_FLOAT:
    case ONNX_INT32:
    case ONNX_UINT32: return 4;
    default: return 8;
    }
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of(onnx_type type, uint64_t bits)
{
    const uint16_t half = (uint16_t)bits;
    float value;
    switch (type) {
    case ONNX_FLOAT: return onnx_float_of_bits((uint32_t)bits);
    case ONNX_DOUBLE: return (float)double_of_bits(bits);
    default:
        cc_type_read(CCONV_FLOAT32, &value, type == ONNX_FLOAT16 ? CCONV_FLOAT16 : CCONV_BFLOAT16, &half, 0, 1);
        return value;
    }
}

static int64_t int_of(onnx_type type, uint64_t bits)
{
    switch (type) {
    case ONNX_UINT8: return (uint8_t)bits;
    case ONNX_INT8: return (int8_t)(uint8_t)bits;
    case ONNX_UINT16: return (uint16_t)bits;
    case ONNX_INT16: return (int16_t)(uint16_t)bits;
    case ONNX_INT32: return (int32_t)(uint32_t)bits;
    case ONNX_UINT32: return (uint32_t)bits;
    case ONNX_BOOL: return (uint8_t)bits != 0;
    default: return (int64_t)bits;
    }
}

static void put(elements *e, uint64_t bits)
{
    if (e->n == e->count) { /* one too many, which the number tells */
        e->n = e->count + 1;
        return;
    }
    if (e->n > e->count) return;
    if (e->floats)
        e->floats[e->n] = float_of(e->type, bits);
    else
        e->ints[e->n] = int_of(e->type, bits);
    ++e->n;
}

/* ---- Where they stand ----------------------------------------------------------------------------------------------- */

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

static void put_fixed(elements *e, onnx_bytes bytes, size_t size)
{
    if (is_little_endian() && e->floats && e->type == ONNX_FLOAT && size == 4 && e->n == 0 &&
        bytes.size / 4 == (size_t)e->count) {
        memcpy(e->floats, bytes.data, bytes.size / 4 * 4);
        e->n = e->count;
        return;
    }
    for (size_t i = 0; i + size <= bytes.size && e->n <= e->count; i += size) {
        uint64_t bits = 0;
        for (size_t k = 0; k < size; ++k) bits |= (uint64_t)bytes.data[i + k] << (8 * k);
        put(e, bits);
    }
}

/* A field of elements: packed, or one by one. */
static bool put_field(elements *e, const onnx_field *f, size_t fixed)
{
    bool damaged = false;
    onnx_bytes packed = f->bytes;
    if (f->kind == WIRE_BYTES && fixed)
        put_fixed(e, packed, fixed);
    else if (f->kind == WIRE_BYTES)
        for (uint64_t bits; e->n <= e->count && onnx_next_varint(&packed, &bits, &damaged);) put(e, bits);
    else
        put(e, f->value);
    return !damaged;
}

static bool put_message(elements *e, onnx_bytes message)
{
    bool damaged = false, fine = true;
    for (onnx_field f; fine && onnx_next_field(&message, &f, &damaged);) switch (f.number) {
        case 4: fine = put_field(e, &f, 4); break;
        case 5:
        case 7:
        case 11: fine = put_field(e, &f, 0); break;
        case 10: fine = put_field(e, &f, 8); break;
        case 9:
            if (f.kind == WIRE_BYTES) put_fixed(e, f.bytes, bytes_of(e->type));
            break;
        default: break;
        }
    return fine && !damaged;
}

/* ---- Files of external data ------------------------------------------------------------------------------------------ */

/* Whether a name leads nowhere but into the folder: no way up, no other root. */
static bool stays_inside(const char *name)
{
    if (!name[0] || name[0] == '/' || name[0] == '\\' || strchr(name, ':')) return false;
    for (const char *part = name; part; part = strpbrk(part, "/\\")) {
        if (*part == '/' || *part == '\\') ++part;
        if (part[0] == '.' && part[1] == '.' && (!part[2] || part[2] == '/' || part[2] == '\\')) return false;
    }
    return true;
}

/* A link may lead out of the folder where the name does not. */
static bool really_inside(const char *folder, const char *path)
{
#ifdef _WIN32
    (void)folder, (void)path;
    return true;
#else
    char top[PATH_MAX], file[PATH_MAX];
    if (!realpath(folder, top)) return false;
    if (!realpath(path, file)) return true; /* it is not there, which opening it will tell */
    const size_t length = strlen(top);
    return strncmp(top, file, length) == 0 && (file[length] == '/' || strcmp(top, "/") == 0);
#endif
}

/* Opens the file of external data at its place, if it is as long as the elements take. */
static cconv_status open_external(const char *folder, const onnx_tensor *t, uint64_t bytes, FILE **file)
{
    if (!folder)
        return cc_fail(CCONV_UNSUPPORTED, "tensor '%s' lies in a file of its own, '%s': load the model by its path", t->name,
                       t->location);
    if (!stays_inside(t->location))
        return cc_fail(CCONV_INVALID, "tensor '%s': its file '%s' is not in the model's folder", t->name, t->location);
    if (t->has_length && t->length != bytes)
        return cc_fail(CCONV_INVALID, "tensor '%s': expected %llu bytes of external data, received %llu", t->name,
                       (unsigned long long)bytes, (unsigned long long)t->length);
    const size_t room = strlen(folder) + strlen(t->location) + 2;
    char *path = cc_alloc(room);
    if (!path) return CCONV_NO_MEMORY;
    snprintf(path, room, "%s/%s", folder, t->location);
    cconv_status status = CCONV_OK;
    long size = 0;
    if (!really_inside(folder, path))
        status = cc_fail(CCONV_INVALID, "tensor '%s': its file '%s' is not in the model's folder", t->name, t->location);
    else if (!(*file = fopen(path, "rb")))
        status = cc_fail(CCONV_INVALID, "tensor '%s': its file '%s' cannot be opened", t->name, path);
    else if (fseek(*file, 0, SEEK_END) || (size = ftell(*file)) < 0 || (unsigned long)size < t->offset ||
             (unsigned long)size - t->offset < bytes)
        status = cc_fail(CCONV_INVALID, "tensor '%s': expected %llu bytes from byte %llu on in '%s', which is shorter", t->name,
                         (unsigned long long)bytes, (unsigned long long)t->offset, path);
    else if (fseek(*file, (long)t->offset, SEEK_SET))
        status = cc_fail(CCONV_INVALID, "tensor '%s': its file '%s' cannot be read", t->name, path);
    cc_free(path);
    if (status != CCONV_OK && *file) fclose(*file);
    return status;
}

static cconv_status read_external(const char *folder, const onnx_tensor *t, elements *e)
{
    const size_t bytes = (size_t)e->count * bytes_of(t->type);
    FILE *file = NULL;
    CC_TRY(open_external(folder, t, bytes, &file));
    uint8_t *data = cc_alloc((uint64_t)bytes + 1);
    cconv_status status = data ? CCONV_OK : CCONV_NO_MEMORY;
    if (data && fread(data, 1, bytes, file) != bytes)
        status = cc_fail(CCONV_INVALID, "tensor '%s': its file '%s' cannot be read", t->name, t->location);
    if (status == CCONV_OK) put_fixed(e, (onnx_bytes){data, bytes}, bytes_of(t->type));
    fclose(file);
    cc_free(data);
    return status;
}

/* ---- All elements ----------------------------------------------------------------------------------------------------- */

static int64_t count_of(const onnx_tensor *t)
{
    int64_t count = 1;
    for (int k = 0; k < t->rank; ++k) count *= t->dim[k];
    return count;
}

cconv_status onnx_check_count(const char *folder, const onnx_tensor *t)
{
    cconv_dtype inside;
    FILE *file = NULL;
    if (!onnx_type_inside(t->type, &inside))
        return cc_fail(CCONV_UNSUPPORTED, "tensor '%s' is %s, which is not supported", t->name, onnx_type_name(t->type));
    const uint64_t count = (uint64_t)count_of(t);
    if (t->location) {
        CC_TRY(open_external(folder, t, count * bytes_of(t->type), &file));
        fclose(file);
    } else if (count > t->message.size)
        return cc_fail(CCONV_INVALID, "tensor '%s': expected %llu elements, which the file does not have", t->name,
                       (unsigned long long)count);
    return CCONV_OK;
}

static cconv_status read_all(const char *folder, const onnx_tensor *t, elements *e)
{
    e->type = t->type;
    e->count = count_of(t);
    if (t->location)
        CC_TRY(read_external(folder, t, e));
    else if (!put_message(e, t->message))
        return cc_fail(CCONV_INVALID, "tensor '%s' is damaged", t->name);
    if (e->n != e->count)
        return cc_fail(CCONV_INVALID, "tensor '%s': expected %lld elements, received %s", t->name, (long long)e->count,
                       e->n < e->count ? "fewer" : "more");
    return CCONV_OK;
}

static bool is_floating(onnx_type type)
{
    cconv_dtype inside;
    return onnx_type_inside(type, &inside) && inside == CCONV_FLOAT32;
}

cconv_status onnx_read_floats(const char *folder, const onnx_tensor *tensor, float *to)
{
    if (!is_floating(tensor->type))
        return cc_fail(CCONV_INVALID, "tensor '%s': expected floating point, received %s", tensor->name,
                       onnx_type_name(tensor->type));
    return read_all(folder, tensor, &(elements){.floats = to});
}

cconv_status onnx_read_ints(const char *folder, const onnx_tensor *tensor, int64_t *to)
{
    cconv_dtype inside;
    if (!onnx_type_inside(tensor->type, &inside) || inside == CCONV_FLOAT32)
        return cc_fail(CCONV_INVALID, "tensor '%s': expected whole numbers, received %s", tensor->name,
                       onnx_type_name(tensor->type));
    return read_all(folder, tensor, &(elements){.ints = to});
}

bool onnx_plain_floats(const onnx_tensor *t, onnx_bytes *bytes)
{
    int found = 0;
    bool damaged = false;
    onnx_bytes message = t->message;
    if (t->type != ONNX_FLOAT || t->location || !is_little_endian()) return false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number != 9 && f.number != 4) continue;
        *bytes = f.bytes;
        found += f.kind == WIRE_BYTES ? 1 : 2;
    }
    return found == 1 && !damaged && bytes->size == (uint64_t)count_of(t) * sizeof(float);
}

/* ---- Other orders of axes ---------------------------------------------------------------------------------------------- */

/* Inner loops go over the last axis of the result, which lies far apart in `from`, in blocks of 16; and around these over the axis
 * that is the last of `from`, in blocks of 16, so that both sides go on in lines of the cache that they have begun. */
void onnx_order_floats(const cc_shape *from_shape, const void *from, const int *axes, float *to)
{
    onnx_order_some_floats(from_shape, from, axes, 0, from_shape->rank ? from_shape->dim[0] : 1, to);
}

void onnx_order_some_floats(const cc_shape *from_shape, const void *from, const int *axes, int64_t begin, int64_t end,
                            float *to)
{
    enum { BLOCK = 16 };
    const int rank = from_shape->rank;
    int64_t from_stride[CCONV_MAX_RANK + 1], to_stride[CCONV_MAX_RANK + 1], dim[CCONV_MAX_RANK + 1]; /* by the axes of from */
    int64_t stride = 1, others = 1;
    for (int k = rank - 1; k >= 0; --k) {
        dim[k] = from_shape->dim[k];
        from_stride[k] = stride;
        stride *= dim[k];
    }
    stride = 1;
    for (int k = rank - 1; k >= 0; --k) {
        to_stride[axes[k]] = stride;
        stride *= dim[axes[k]];
    }
    from_stride[rank] = to_stride[rank] = 0; /* an axis of size 1, where the two are one */
    dim[rank] = 1;
    dim[0] = end - begin;
    const int last = rank ? axes[rank - 1] : rank, inner = rank && last != rank - 1 ? rank - 1 : rank;
    for (int k = 0; k < rank; ++k)
        if (k != last && k != inner) others *= dim[k];
    int64_t index[CCONV_MAX_RANK] = {0};
    const unsigned char *source = (const unsigned char *)from + (size_t)(begin * from_stride[0]) * sizeof *to;
    float *target = to + begin * to_stride[0];
    for (int64_t i = 0; i < others; ++i) {
        for (int64_t a = 0; a < dim[inner]; a += BLOCK)
            for (int64_t b = 0; b < dim[last]; b += BLOCK)
                for (int64_t u = a; u < dim[inner] && u < a + BLOCK; ++u)
                    for (int64_t v = b; v < dim[last] && v < b + BLOCK; ++v)
                        memcpy(target + u * to_stride[inner] + v * to_stride[last],
                               source + (size_t)(u * from_stride[inner] + v * from_stride[last]) * sizeof *to, sizeof *to);
        for (int k = rank - 1; k >= 0; --k) {
            if (k == last || k == inner) continue;
            source += (size_t)from_stride[k] * sizeof *to;
            target += to_stride[k];
            if (++index[k] < dim[k]) break;
            source -= (size_t)(index[k] * from_stride[k]) * sizeof *to;
            target -= index[k] * to_stride[k];
            index[k] = 0;
        }
    }
}
