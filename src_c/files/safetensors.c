/* Reading and writing files of named tensors: see safetensors.h. */
#include "files/safetensors.h"
#include "base/alloc.h"
#include "base/type.h"
#include "files/atomic_file.h"
#include "files/json.h"
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

/* Element types by their names in a header, with the bytes of an element. */
static const struct {
    const char *name;
    int bytes, dtype;
} types[] = {{"F32", 4, CCONV_FLOAT32},
             {"F16", 2, CCONV_FLOAT16},
             {"BF16", 2, CCONV_BFLOAT16},
             {"F64", 8, CCONV_FLOAT64},
             {"I64", 8, -1},
             {"U64", 8, -1},
             {"I32", 4, -1},
             {"U32", 4, -1},
             {"I16", 2, -1},
             {"U16", 2, -1},
             {"I8", 1, -1},
             {"U8", 1, -1},
             {"BOOL", 1, -1},
             {"F8_E5M2", 1, -1},
             {"F8_E4M3", 1, -1}};
enum { TYPES = (int)(sizeof types / sizeof *types) };

static int find_type(const char *name)
{
    int found = 0;
    while (found < TYPES && strcmp(types[found].name, name) != 0) ++found;
    return found;
}

cconv_status cc_safetensors_check_machine(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first ? CCONV_OK : cc_fail(CCONV_UNSUPPORTED, "files of parameters are for machines with the lowest byte first");
}

/* ---- The header, read --------------------------------------------------------------------------------------------- */

typedef struct reader {
    const char *path;
    const char *first; /* of the header */
    cc_json json;
    uint64_t size; /* bytes of all elements */
    cc_safetensors *file;
    int tensors_room, metadata_room;
} reader;

static cconv_status unexpected(const reader *r, const char *expected)
{
    return cc_fail(CCONV_INVALID, "%.300s: no file of tensors (safetensors): expected %s at byte %lld of its header", r->path,
                   expected, (long long)(r->json.at - r->first));
}

/* An array of n with room for one more, or NULL: then the old one is as it was. */
static void *grown(void *array, int n, int *room, size_t size)
{
    if (n < *room) return array;
    const int more = *room ? 2 * *room : 32;
    void *larger = cc_alloc((uint64_t)more * size);
    if (!larger) return NULL;
    if (n) memcpy(larger, array, (size_t)n * size);
    cc_free(array);
    *room = more;
    return larger;
}

static cconv_status read_metadata(reader *r)
{
    cc_safetensors *file = r->file;
    if (!cc_json_mark(&r->json, '{')) return unexpected(r, "an object");
    if (cc_json_mark(&r->json, '}')) return CCONV_OK;
    do {
        cc_metadata *all = grown(file->metadata, file->n_metadata, &r->metadata_room, sizeof *all);
        if (!all) return CCONV_NO_MEMORY;
        file->metadata = all;
        cc_metadata *pair = &all[file->n_metadata];
        if (!cc_json_string(&r->json, &pair->key) || !cc_json_mark(&r->json, ':') || !cc_json_string(&r->json, &pair->value))
            return unexpected(r, "a pair of strings");
        ++file->n_metadata;
    } while (cc_json_mark(&r->json, ','));
    return cc_json_mark(&r->json, '}') ? CCONV_OK : unexpected(r, "',' or '}'");
}

/* [3, 3, 16]: the product is at most the bytes there are, whichever size comes first; a 0 makes it 0. */
static cconv_status read_shape(reader *r, cc_tensor *tensor, uint64_t *count)
{
    bool zero = false;
    *count = 1;
    tensor->rank = 0;
    if (!cc_json_mark(&r->json, '[')) return unexpected(r, "a list of sizes");
    if (cc_json_mark(&r->json, ']')) return CCONV_OK;
    do {
        int64_t size;
        if (!cc_json_number(&r->json, &size)) return unexpected(r, "a size");
        if (tensor->rank < CCONV_MAX_RANK) tensor->dim[tensor->rank] = size;
        tensor->rank += tensor->rank <= CCONV_MAX_RANK;
        zero = zero || size == 0;
        if (size && *count > r->size / (uint64_t)size)
            *count = r->size + 1; /* too many, unless another size is 0 */
        else if (size)
            *count *= (uint64_t)size;
    } while (cc_json_mark(&r->json, ','));
    if (zero) *count = 0;
    return cc_json_mark(&r->json, ']') ? CCONV_OK : unexpected(r, "',' or ']'");
}

static cconv_status read_offsets(reader *r, cc_tensor *tensor)
{
    int64_t begin, end;
    if (!cc_json_mark(&r->json, '[') || !cc_json_number(&r->json, &begin) || !cc_json_mark(&r->json, ',') ||
        !cc_json_number(&r->json, &end) || !cc_json_mark(&r->json, ']'))
        return unexpected(r, "two offsets");
    tensor->begin = (uint64_t)begin;
    tensor->end = (uint64_t)end;
    return CCONV_OK;
}

static cconv_status read_type(reader *r, cc_tensor *tensor)
{
    if (!cc_json_string(&r->json, &tensor->type) || find_type(tensor->type) == TYPES)
        return unexpected(r, "an element type such as F32");
    tensor->dtype = types[find_type(tensor->type)].dtype;
    return CCONV_OK;
}

/* {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}, in any order. */
static cconv_status read_tensor(reader *r, cc_tensor *tensor)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    unsigned seen = 0;
    uint64_t count = 0;
    if (!cc_json_mark(&r->json, '{')) return unexpected(r, "a tensor");
    do {
        const char *key;
        unsigned k = 0;
        if (!cc_json_string(&r->json, &key)) return unexpected(r, "dtype, shape or data_offsets");
        while (k < 3 && strcmp(keys[k], key) != 0) ++k;
        if (k == 3 || (seen & 1u << k) || !cc_json_mark(&r->json, ':'))
            return unexpected(r, "dtype, shape and data_offsets, once each,");
        CC_TRY(k == 0 ? read_type(r, tensor) : k == 1 ? read_shape(r, tensor, &count) : read_offsets(r, tensor));
        seen |= 1u << k;
    } while (cc_json_mark(&r->json, ','));
    if (seen != 7 || !cc_json_mark(&r->json, '}')) return unexpected(r, "dtype, shape and data_offsets, once each,");
    const uint64_t bytes = (uint64_t)types[find_type(tensor->type)].bytes;
    if (tensor->begin > tensor->end || tensor->end > r->size || count > r->size || count * bytes != tensor->end - tensor->begin)
        return cc_fail(
            CCONV_INVALID,
            "%.300s: no file of tensors (safetensors): '%.100s' has bytes %llu to %llu of %llu, which does not fit its shape",
            r->path, tensor->name, (unsigned long long)tensor->begin, (unsigned long long)tensor->end,
            (unsigned long long)r->size);
    return CCONV_OK;
}

static cconv_status read_header(reader *r)
{
    cc_safetensors *file = r->file;
    if (r->json.at == r->json.end || *r->json.at != '{') return unexpected(r, "'{'");
    cc_json_mark(&r->json, '{');
    if (!cc_json_mark(&r->json, '}')) {
        bool metadata = false;
        do {
            const char *name;
            if (!cc_json_string(&r->json, &name) || !cc_json_mark(&r->json, ':')) return unexpected(r, "a name");
            if (strcmp(name, "__metadata__") == 0) {
                if (metadata) return unexpected(r, "__metadata__ once");
                metadata = true;
                CC_TRY(read_metadata(r));
                continue;
            }
            cc_tensor *all = grown(file->tensors, file->n_tensors, &r->tensors_room, sizeof *all);
            if (!all) return CCONV_NO_MEMORY;
            file->tensors = all;
            all[file->n_tensors] = (cc_tensor){.name = name};
            CC_TRY(read_tensor(r, &all[file->n_tensors]));
            ++file->n_tensors;
        } while (cc_json_mark(&r->json, ','));
        if (!cc_json_mark(&r->json, '}')) return unexpected(r, "',' or '}'");
    }
    return cc_json_is_over(&r->json) ? CCONV_OK : unexpected(r, "its end");
}

/* ---- In order ----------------------------------------------------------------------------------------------------- */

static int by_place(const cc_tensor *a, const cc_tensor *b)
{
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static int by_name(const cc_tensor *a, const cc_tensor *b)
{
    return strcmp(a->name, b->name);
}

/* Lets the tensor at i sink to its place in a heap of n. */
static void sink(cc_tensor *tensors, int i, int n, int (*order)(const cc_tensor *, const cc_tensor *))
{
    const cc_tensor sinking = tensors[i];
    for (int child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && order(&tensors[child], &tensors[child + 1]) < 0) ++child;
        if (order(&sinking, &tensors[child]) >= 0) break;
        tensors[i] = tensors[child];
    }
    tensors[i] = sinking;
}

/* By a heap: a hostile order takes no longer, and no memory. */
static void sort(cc_tensor *tensors, int n, int (*order)(const cc_tensor *, const cc_tensor *))
{
    for (int i = n / 2 - 1; i >= 0; --i) sink(tensors, i, n, order);
    for (int last = n - 1; last > 0; --last) {
        const cc_tensor largest = tensors[0];
        tensors[0] = tensors[last];
        tensors[last] = largest;
        sink(tensors, 0, last, order);
    }
}

/* Tensors lie one behind the other and fill the file; their names differ. */
static cconv_status check_order(const char *path, cc_safetensors *file, uint64_t size)
{
    uint64_t at = 0;
    sort(file->tensors, file->n_tensors, by_place);
    for (int i = 0; i < file->n_tensors; ++i) {
        const cc_tensor *tensor = &file->tensors[i];
        if (tensor->begin != at)
            return cc_fail(CCONV_INVALID,
                           "%.300s: no file of tensors (safetensors): expected '%.100s' at byte %llu, received %llu", path,
                           tensor->name, (unsigned long long)at, (unsigned long long)tensor->begin);
        at = tensor->end;
    }
    if (at != size)
        return cc_fail(CCONV_INVALID,
                       "%.300s: no file of tensors (safetensors): its tensors have %llu bytes, the file has %llu", path,
                       (unsigned long long)at, (unsigned long long)size);
    sort(file->tensors, file->n_tensors, by_name);
    for (int i = 1; i < file->n_tensors; ++i)
        if (by_name(&file->tensors[i - 1], &file->tensors[i]) == 0)
            return cc_fail(CCONV_INVALID, "%.300s: no file of tensors (safetensors): two are called '%.100s'", path,
                           file->tensors[i].name);
    return CCONV_OK;
}

/* ---- A file ------------------------------------------------------------------------------------------------------- */

cconv_status cc_safetensors_read(const char *path, cc_safetensors *file)
{
    uint64_t size = 0, length = 0;
    *file = (cc_safetensors){0};
    CC_TRY(cc_safetensors_check_machine());
    CC_TRY(cc_file_read(path, &file->bytes, &size));
    if (size >= LENGTH_BYTES) memcpy(&length, file->bytes, LENGTH_BYTES);
    if (size < LENGTH_BYTES || length > size - LENGTH_BYTES)
        return cc_fail(CCONV_INVALID, "%.300s: no file of tensors (safetensors): it has %llu bytes, and a header of %llu", path,
                       (unsigned long long)size, (unsigned long long)length);
    char *header = (char *)file->bytes + LENGTH_BYTES;
    file->elements = (const uint8_t *)header + length;
    reader r = {
        .path = path, .first = header, .json = {header, header + length}, .size = size - LENGTH_BYTES - length, .file = file};
    CC_TRY(read_header(&r));
    return check_order(path, file, r.size);
}

void cc_safetensors_free(cc_safetensors *file)
{
    cc_free(file->tensors);
    cc_free(file->metadata);
    cc_free(file->bytes);
    *file = (cc_safetensors){0};
}

cc_tensor *cc_safetensors_find(const cc_safetensors *file, const char *name)
{
    int low = 0, high = file->n_tensors;
    while (low < high) {
        const int middle = low + (high - low) / 2, order = strcmp(name, file->tensors[middle].name);
        if (order == 0) return &file->tensors[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *cc_safetensors_metadata(const cc_safetensors *file, const char *key)
{
    for (int i = 0; i < file->n_metadata; ++i)
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    return NULL;
}

/* By way of memory that is aligned, which the file's is not. */
void cc_safetensors_elements(const cc_safetensors *file, const cc_tensor *tensor, float *to)
{
    enum { BLOCK = 512 };
    double aligned[BLOCK];
    const cc_type *type = cc_type_of((cconv_dtype)tensor->dtype);
    const uint8_t *from = file->elements + tensor->begin, *end = file->elements + tensor->end;
    while (from < end) {
        const int64_t left = (int64_t)((size_t)(end - from) / type->bytes), n = left < BLOCK ? left : BLOCK;
        memcpy(aligned, from, (size_t)n * type->bytes);
        type->to_float(to, aligned, 0, n);
        to += n;
        from += (size_t)n * type->bytes;
    }
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void put_header(cc_writer *w, int n, const cc_named *tensors, int n_metadata, const cc_metadata *metadata)
{
    uint64_t at = 0;
    cc_put(w, "{");
    if (n_metadata) {
        cc_put(w, "\"__metadata__\":{");
        for (int i = 0; i < n_metadata; ++i) {
            cc_put(w, i ? "," : "");
            cc_json_put(w, metadata[i].key);
            cc_put(w, ":");
            cc_json_put(w, metadata[i].value);
        }
        cc_put(w, n ? "}," : "}");
    }
    for (int i = 0; i < n; ++i) {
        const cc_shape *shape = tensors[i].shape;
        cc_put(w, i ? "," : "");
        cc_json_put(w, tensors[i].name);
        cc_put(w, ":{\"dtype\":\"F32\",\"shape\":[");
        for (int d = 0; d < shape->rank; ++d) cc_put(w, d ? ",%lld" : "%lld", (long long)shape->dim[d]);
        cc_put(w, "],\"data_offsets\":[%llu,", (unsigned long long)at);
        at += cc_shape_bytes(shape);
        cc_put(w, "%llu]}", (unsigned long long)at);
    }
    cc_put(w, "}");
    while (w->length % ALIGNMENT) cc_put(w, " ");
}

cconv_status cc_safetensors_write(const char *path, int n, const cc_named *tensors, int n_metadata, const cc_metadata *metadata)
{
    cc_atomic_file file;
    cc_writer counted = cc_writer_in(NULL, 0);
    CC_TRY(cc_safetensors_check_machine());
    put_header(&counted, n, tensors, n_metadata, metadata);
    const uint64_t length = counted.length;
    char *text = cc_alloc(length + 1);
    if (!text) return CCONV_NO_MEMORY;
    cc_writer w = cc_writer_in(text, counted.length + 1);
    put_header(&w, n, tensors, n_metadata, metadata);
    cconv_status status = cc_atomic_begin(&file, path);
    if (status == CCONV_OK) {
        status = cc_atomic_write(&file, &length, LENGTH_BYTES);
        if (status == CCONV_OK) status = cc_atomic_write(&file, text, length);
        for (int i = 0; status == CCONV_OK && i < n; ++i)
            status = cc_atomic_write(&file, tensors[i].values, cc_shape_bytes(tensors[i].shape));
        status = cc_atomic_end(&file, status);
    }
    cc_free(text);
    return status;
}
