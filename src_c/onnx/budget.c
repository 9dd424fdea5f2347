/* How much is computed while a model is read. A few bytes can ask for a lot: a Range of 2^31 numbers, an Expand to terabytes that
 * is known and so evaluated, the matrix of a Resize. Counted are the elements of whatever is evaluated at once and of the arrays that
 * readers make (positions, weights of a resize); what the file holds itself is not, and neither is what only runs compute. For each
 * graph that is built they may be SOME, which is more than models ask for, and MORE for each byte of the file, which quantized
 * weights take. What is more, or takes many operations for an element, such as a convolution (operators.def), is left to runs. */
#include "base/alloc.h"
#include "onnx/reading.h"

enum { SOME = 1 << 24, MORE = 16, FEW = 64 };

bool onnx_may_compute(onnx_reading *r, uint64_t elements)
{
    const uint64_t most = SOME + MORE * (uint64_t)r->file->bytes.size;
    if (elements <= FEW) return true; /* a node that asks for as many is not much shorter */
    if (elements > most - r->computed) return false;
    r->computed += elements;
    return true;
}

void *onnx_work(onnx_call *c, int64_t count, size_t size)
{
    if (onnx_failed(c)) return NULL;
    if (!onnx_may_compute(c->r, (uint64_t)count)) {
        onnx_stop(c->r, cc_fail(CCONV_UNSUPPORTED,
                                "%s (node '%s') makes an array of %lld elements while the model is read, too many "
                                "for the size of its file",
                                c->node->op, c->node->name, (long long)count));
        return NULL;
    }
    void *memory = cc_alloc_zero((uint64_t)count * size);
    if (!memory) onnx_stop(c->r, CCONV_NO_MEMORY);
    return memory;
}
