/* Reading the structure of an ONNX model: what its messages are, by the numbers of their fields in onnx.proto. */
#include "onnx/model.h"
#include "base/alloc.h"
#include <string.h>

/* ---- Memory that goes with the model ------------------------------------------------------------------------------- */

typedef struct onnx_block {
    struct onnx_block *next;
    size_t used, size;
} onnx_block;

enum { BLOCK = 1 << 16, HEAD = CC_ALIGN_UP(sizeof(onnx_block)), DEEPEST = 32 };

void *onnx_keep(onnx_model *model, uint64_t bytes)
{
    const uint64_t wanted = (bytes + 15) / 16 * 16;
    onnx_block *block = model->memory;
    if (!block || block->size - block->used < wanted) {
        const uint64_t size = wanted > BLOCK / 4 ? wanted : BLOCK;
        onnx_block *fresh = cc_alloc(HEAD + size);
        if (!fresh) return NULL;
        *fresh = (onnx_block){.next = block, .size = (size_t)size};
        if (block && size == wanted) { /* a large one of its own: what is left of the other goes on being used */
            fresh->next = block->next;
            block->next = fresh;
        } else
            model->memory = fresh;
        block = fresh;
    }
    char *memory = (char *)block + HEAD + block->used;
    block->used += (size_t)wanted;
    return memory;
}

void onnx_model_free(onnx_model *model)
{
    for (onnx_block *block = model->memory, *next; block; block = next) {
        next = block->next;
        cc_free(block);
    }
    *model = (onnx_model){0};
}

/* ---- Parts of messages --------------------------------------------------------------------------------------------- */

static cconv_status damage(const char *what)
{
    return cc_fail(CCONV_INVALID, "the file is no ONNX model, or it is damaged: %s", what);
}

const char *onnx_text_parse(onnx_model *model, onnx_bytes bytes)
{
    if (bytes.size && memchr(bytes.data, 0, bytes.size)) {
        damage("a name with a zero byte");
        return NULL;
    }
    char *text = onnx_keep(model, (uint64_t)bytes.size + 1);
    if (!text) return NULL;
    if (bytes.size) memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = 0;
    return text;
}

static cconv_status read_text(onnx_model *model, const onnx_field *field, const char **text)
{
    if (field->kind != WIRE_BYTES) return damage("a name that is no text");
    *text = onnx_text_parse(model, field->bytes);
    return *text ? CCONV_OK : cconv_last_status();
}

/* How many fields of this number a message has; -1: it is damaged. */
static int count_fields(onnx_bytes message, uint32_t number)
{
    int64_t n = 0;
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) n += f.number == number && f.kind == WIRE_BYTES;
    return damaged || n > INT32_MAX / 256 ? -1 : (int)n;
}

/* Room for all fields of this number: each takes two bytes of the message at least, so the file answers for the room. */
static cconv_status make_room(onnx_model *model, onnx_bytes message, uint32_t number, size_t size, void *rows)
{
    const int n = count_fields(message, number);
    if (n < 0) return damage("a message that does not end where it should");
    void *memory = onnx_keep(model, (uint64_t)n * size);
    if (!memory) return CCONV_NO_MEMORY;
    memset(memory, 0, (size_t)n * size);
    memcpy(rows, &memory, sizeof memory);
    return CCONV_OK;
}

/* ---- Tensors ------------------------------------------------------------------------------------------------------- */

static cconv_status add_dim(onnx_tensor *tensor, uint64_t size)
{
    if (tensor->rank == CCONV_MAX_RANK) return cc_fail(CCONV_UNSUPPORTED, "a tensor of more than %d axes", CCONV_MAX_RANK);
    if (size > INT64_MAX) return damage("a tensor with a size below 0");
    tensor->dim[tensor->rank++] = (int64_t)size;
    return CCONV_OK;
}

static cconv_status read_dims(onnx_tensor *tensor, const onnx_field *field)
{
    if (field->kind == WIRE_VARINT) return add_dim(tensor, field->value);
    if (field->kind != WIRE_BYTES) return damage("sizes of a tensor that are no numbers");
    bool damaged = false;
    onnx_bytes packed = field->bytes;
    for (uint64_t size; onnx_next_varint(&packed, &size, &damaged);) CC_TRY(add_dim(tensor, size));
    return damaged ? damage("sizes of a tensor that are no numbers") : CCONV_OK;
}

static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    for (; *text >= '0' && *text <= '9' && *number < UINT64_MAX / 16; ++text) *number = 10 * *number + (uint64_t)(*text - '0');
    return *text == 0;
}

/* An entry of external_data: a key and its text. */
static cconv_status read_external(onnx_model *model, onnx_tensor *tensor, onnx_bytes entry)
{
    const char *key = "", *text = "";
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&entry, &f, &damaged);) {
        if (f.number == 1) CC_TRY(read_text(model, &f, &key));
        if (f.number == 2) CC_TRY(read_text(model, &f, &text));
    }
    if (strcmp(key, "location") == 0) tensor->location = text;
    const bool length = strcmp(key, "length") == 0;
    if (length || strcmp(key, "offset") == 0) damaged |= !read_number(text, length ? &tensor->length : &tensor->offset);
    tensor->has_length |= length;
    return damaged ? damage("a place of external data that is no number") : CCONV_OK;
}

cconv_status onnx_tensor_parse(onnx_model *model, onnx_bytes message, onnx_tensor *tensor)
{
    *tensor = (onnx_tensor){.name = "", .message = message};
    bool damaged = false, outside = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) switch (f.number) {
        case 1: CC_TRY(read_dims(tensor, &f)); break;
        case 2: tensor->type = (onnx_type)(f.value < 128 ? f.value : 127); break;
        case 8: CC_TRY(read_text(model, &f, &tensor->name)); break;
        case 13:
            if (f.kind != WIRE_BYTES) return damage("external data");
            CC_TRY(read_external(model, tensor, f.bytes));
            break;
        case 14: outside = f.value == 1; break;
        default: break;
        }
    if (damaged) return damage("a tensor");
    const cc_shape shape = {.rank = tensor->rank};
    cc_shape checked = shape;
    memcpy(checked.dim, tensor->dim, sizeof checked.dim);
    if (!cc_shape_check(&checked)) return damage("a tensor larger than any memory");
    if (outside && !tensor->location) return damage("external data without the name of its file");
    if (!outside) tensor->location = NULL;
    return CCONV_OK;
}

/* ---- Nodes --------------------------------------------------------------------------------------------------------- */

static cconv_status parse_attribute(onnx_model *model, onnx_bytes message, onnx_attribute *attribute)
{
    *attribute = (onnx_attribute){.name = "", .message = message};
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);)
        if (f.number == 1) CC_TRY(read_text(model, &f, &attribute->name));
    return damaged ? damage("an attribute") : CCONV_OK;
}

static cconv_status parse_node(onnx_model *model, onnx_bytes message, onnx_node *node)
{
    *node = (onnx_node){.name = "", .op = "", .domain = ""};
    CC_TRY(make_room(model, message, 1, sizeof *node->inputs, &node->inputs));
    CC_TRY(make_room(model, message, 2, sizeof *node->outputs, &node->outputs));
    CC_TRY(make_room(model, message, 5, sizeof *node->attributes, &node->attributes));
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.kind != WIRE_BYTES) continue;
        switch (f.number) {
        case 1: CC_TRY(read_text(model, &f, &node->inputs[node->n_inputs++])); break;
        case 2: CC_TRY(read_text(model, &f, &node->outputs[node->n_outputs++])); break;
        case 3: CC_TRY(read_text(model, &f, &node->name)); break;
        case 4: CC_TRY(read_text(model, &f, &node->op)); break;
        case 5: CC_TRY(parse_attribute(model, f.bytes, &node->attributes[node->n_attributes++])); break;
        case 7: CC_TRY(read_text(model, &f, &node->domain)); break;
        default: break;
        }
    }
    if (damaged) return damage("a node");
    if (strcmp(node->domain, "ai.onnx") == 0) node->domain = "";
    if (!node->name[0] && node->n_outputs) node->name = node->outputs[0];
    return CCONV_OK;
}

/* ---- Inputs and outputs -------------------------------------------------------------------------------------------- */

static cconv_status parse_dim(onnx_model *model, onnx_bytes message, int64_t *size, const char **name)
{
    bool damaged = false;
    *size = -1;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number == 1 && f.kind == WIRE_VARINT) *size = f.value <= INT64_MAX ? (int64_t)f.value : -1;
        if (f.number == 2) CC_TRY(read_text(model, &f, name));
    }
    return damaged ? damage("a shape") : CCONV_OK;
}

static cconv_status parse_shape(onnx_model *model, onnx_bytes message, onnx_value_info *info)
{
    bool damaged = false;
    info->rank = 0;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number != 1 || f.kind != WIRE_BYTES) continue;
        if (info->rank == CCONV_MAX_RANK)
            return cc_fail(CCONV_UNSUPPORTED, "'%s' has more than %d axes", info->name, CCONV_MAX_RANK);
        CC_TRY(parse_dim(model, f.bytes, &info->dim[info->rank], &info->dim_name[info->rank]));
        ++info->rank;
    }
    return damaged ? damage("a shape") : CCONV_OK;
}

/* TypeProto and, within it, TypeProto.Tensor. */
static cconv_status parse_type(onnx_model *model, onnx_bytes message, bool tensor, onnx_value_info *info)
{
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (!tensor && f.number == 1 && f.kind == WIRE_BYTES) CC_TRY(parse_type(model, f.bytes, true, info));
        if (tensor && f.number == 1 && f.kind == WIRE_VARINT) info->type = (onnx_type)(f.value < 128 ? f.value : 127);
        if (tensor && f.number == 2 && f.kind == WIRE_BYTES) CC_TRY(parse_shape(model, f.bytes, info));
    }
    return damaged ? damage("the type of an input or output") : CCONV_OK;
}

static cconv_status parse_value_info(onnx_model *model, onnx_bytes message, onnx_value_info *info)
{
    *info = (onnx_value_info){.name = "", .rank = -1};
    bool damaged = false;
    onnx_bytes type = {0};
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number == 1) CC_TRY(read_text(model, &f, &info->name));
        if (f.number == 2 && f.kind == WIRE_BYTES) type = f.bytes;
    }
    return damaged ? damage("an input or output") : parse_type(model, type, false, info);
}

/* ---- The graph ----------------------------------------------------------------------------------------------------- */

static cconv_status parse_graph(onnx_model *model, onnx_bytes message, onnx_graph *graph)
{
    CC_TRY(make_room(model, message, 1, sizeof *graph->nodes, &graph->nodes));
    CC_TRY(make_room(model, message, 5, sizeof *graph->initializers, &graph->initializers));
    CC_TRY(make_room(model, message, 11, sizeof *graph->inputs, &graph->inputs));
    CC_TRY(make_room(model, message, 12, sizeof *graph->outputs, &graph->outputs));
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.kind != WIRE_BYTES) continue;
        switch (f.number) {
        case 1: CC_TRY(parse_node(model, f.bytes, &graph->nodes[graph->n_nodes++])); break;
        case 5: CC_TRY(onnx_tensor_parse(model, f.bytes, &graph->initializers[graph->n_initializers++])); break;
        case 11: CC_TRY(parse_value_info(model, f.bytes, &graph->inputs[graph->n_inputs++])); break;
        case 12: CC_TRY(parse_value_info(model, f.bytes, &graph->outputs[graph->n_outputs++])); break;
        case 15: return cc_fail(CCONV_UNSUPPORTED, "the model has sparse initializers, which are not supported");
        default: break;
        }
    }
    return damaged ? damage("its graph") : CCONV_OK;
}

cconv_status onnx_graph_parse(onnx_model *model, onnx_bytes message, onnx_graph *graph)
{
    *graph = (onnx_graph){0};
    if (model->depth == DEEPEST) return cc_fail(CCONV_UNSUPPORTED, "graphs within graphs, more than %d deep", DEEPEST);
    ++model->depth;
    const cconv_status status = parse_graph(model, message, graph);
    --model->depth;
    return status;
}

/* OperatorSetIdProto: the version matters of the domain "". */
static cconv_status parse_opset(onnx_model *model, onnx_bytes message)
{
    const char *domain = "";
    int64_t version = 0;
    bool damaged = false;
    for (onnx_field f; onnx_next_field(&message, &f, &damaged);) {
        if (f.number == 1) CC_TRY(read_text(model, &f, &domain));
        if (f.number == 2) version = (int64_t)f.value;
    }
    if (!domain[0] || strcmp(domain, "ai.onnx") == 0) model->opset = version;
    return damaged ? damage("its versions") : CCONV_OK;
}

cconv_status onnx_model_read(onnx_bytes bytes, onnx_model *model)
{
    *model = (onnx_model){0};
    bool damaged = false;
    onnx_bytes graph = {0};
    for (onnx_field f; onnx_next_field(&bytes, &f, &damaged);) {
        if (f.number == 8 && f.kind == WIRE_BYTES) CC_TRY(parse_opset(model, f.bytes));
        if (f.number == 7 && f.kind == WIRE_BYTES) graph = f.bytes;
    }
    if (damaged) return damage("it does not end where it should");
    if (!graph.data) return damage("there is no graph in it");
    return onnx_graph_parse(model, graph, &model->graph);
}

/* ---- Types --------------------------------------------------------------------------------------------------------- */

bool onnx_type_inside(onnx_type type, cconv_dtype *dtype)
{
    switch (type) {
    case ONNX_FLOAT:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
    case ONNX_DOUBLE: *dtype = CCONV_FLOAT32; return true;
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_UINT16:
    case ONNX_INT16:
    case ONNX_INT32:
    case ONNX_INT64:
    case ONNX_UINT32:
    case ONNX_UINT64: *dtype = CCONV_INT32; return true;
    case ONNX_BOOL: *dtype = CCONV_BOOL; return true;
    default: return false;
    }
}

const char *onnx_type_name(onnx_type type)
{
    static const char *const names[] = {"undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
                                        "int32",     "int64",   "string",    "bool",       "float16", "float64",
                                        "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
    return type >= 0 && type < (int)(sizeof names / sizeof *names) ? names[type] : "of a type this reader does not know";
}
