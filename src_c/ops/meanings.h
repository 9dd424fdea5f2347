/* What attributes that several ops have mean, in words for the reference and cconv_op_describe. */
#ifndef CC_MEANINGS_H
#define CC_MEANINGS_H

#define CC_PADDING_MEANING                                                                                                     \
    "valid: none; same: as much as makes the output the input's size divided by the stride, rounded up, an odd cell at the "   \
    "end; explicit: pads"
#define CC_PADS_MEANING                                                                                                        \
    "of padding=explicit: cells around the image, top,left,bottom,right: those before each axis, first axis first, then "      \
    "those behind"
#define CC_ACTIVATION_MEANING "what becomes of the sum z: the op of that name; linear: z itself, relu6: min(max(z, 0), 6)"
#define CC_CLAMP_MEANING      "what becomes of the result z: linear: z itself, relu: max(z, 0), relu6: min(max(z, 0), 6)"
#define CC_ALPHA_MEANING      "of activation leaky_relu the slope below 0, of elu the scale there; others do not read it"
#define CC_AXIS_MEANING       "number of the axis, from 0; below 0 counted from the last"
#define CC_AXES_MEANING       "numbers of the axes, from 0, below 0 counted from the last; none: all"
#define CC_KEEPDIMS_MEANING   "1: what is reduced stays as an axis of size 1"
#define CC_LOGITS_MEANING     "1: y_pred are values before the sigmoid or softmax, which is computed here; 0: probabilities"
#define CC_SMOOTHING_MEANING  "part of the labels, from 0 to 1, that is spread evenly over the classes"

#endif
