/* How much is computed while a model is read. A few bytes can ask for a lot: a Range of 2^31 numbers, an Expand to terabytes that
 * is known, the matrix of a Resize. Counted are the elements of whatever is evaluated at once, and of the constants that readers
 * make (positions, weights of a resize), for each of which a reader takes few operations; not what only runs compute. For each
 * graph that is built the constants may be SOME, which is more than models ask for, and MORE for each byte of the file, which
 * quantized weights take; beyond that a model is refused. What is evaluated may be a quarter of it: beyond that a node is left to
 * runs, as operators are that take many operations for an element, such as convolutions (operators.def). */
#include "base/alloc.h"
#include "onnx/reading.h"

enum { SOME = 1 << 24, MORE = 16, FEW = 64 };

bool onnx_may_compute(onnx_reading *r, uint64_t elements)
{
    const uint64_t all = SOME + MORE * (uint64_t)r->file->bytes.size, most = r->folding ? all / 4 : all;
    uint64_t *computed = r->folding ? &r->folded : &r->computed;
    if (r->status != CCONV_OK) return false;
    if (r->folding && elements <= FEW) return true; /* shapes; a node that asks for as many is not much shorter */
    if (elements <= most - *computed) {
        *computed += elements;
        return true;
    }
    if (r->folding) return onnx_stop(r, ONNX_TOO_MUCH);
    return onnx_stop(r, cc_fail(CCONV_UNSUPPORTED,
                                "%s (node '%s'): expected at most %llu elements that are computed while the model is read, "
                                "received %llu more than %llu",
                                r->node ? r->node->op : "the model", r->node ? r->node->name : "", (unsigned long long)most,
                                (unsigned long long)elements, (unsigned long long)*computed));
}

void *onnx_work(onnx_call *c, int64_t count, size_t size)
{
    if (onnx_failed(c) || !onnx_may_compute(c->r, (uint64_t)count)) return NULL;
    void *memory = cc_alloc_zero((uint64_t)count * size);
    if (!memory) onnx_stop(c->r, CCONV_NO_MEMORY);
    return memory;
}
