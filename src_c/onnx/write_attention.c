/* Attention, as the products and the softmax that it is made of. */
#include "onnx/write.h"

static save_order attention_turned(int rank)
{
    save_order o = save_same_order(rank);
    o.axis[rank - 1] = rank - 2;
    o.axis[rank - 2] = rank - 1;
    return o;
}

int save_attention(save_call *c)
{
    enum { SOFTMAX, LINEAR, RELU }; /* the choices of `activation`, in their order */
    const int rank = save_shape(c, 0)->rank, activation = (int)save_int(c, "activation");
    const int64_t keys = save_shape(c, 1)->dim[rank - 2];
    const save_order turned = attention_turned(rank);
    if (activation != SOFTMAX && keys <= 0) return save_refuse(c, "the number of keys is not known");
    if (save_shape(c, 0)->dim[rank - 1] == 0) return save_refuse(c, "there are no channels");
    const double scale = (double)save_float(c, "scale") / (activation == SOFTMAX ? 1 : (double)keys);
    int y = save_add2(c, "MatMul", save_input(c, 0), save_form(c, 1, &turned));
    if (scale != 1) y = save_add2(c, "Mul", y, save_number(c, scale));
    if (activation == RELU) y = save_add1(c, "Relu", y);
    if (activation == SOFTMAX) {
        y = save_add1(c, "Softmax", y);
        save_set_int(c, "axis", -1);
    }
    return save_add2(c, "MatMul", y, save_input(c, 2));
}
