/* From an image to what the model reads. */
#ifndef RUN_PREPARE_H
#define RUN_PREPARE_H

#include "image.h"
#include "model.h"

/* The image, cut, resized and scaled, as the model's first input, for which it plans. numbers is memory that the caller gives
 * back, renewed by each call. 0: said. */
int prepare_image(model *m, const options *o, const image *im, void **numbers);
/* Files of --raw as the inputs: one memory for each. */
int prepare_raw(model *m, const options *o, void **numbers);
/* Numbers from 0 to 1 as the inputs, for models of any kind. */
int prepare_random(model *m, const options *o, void **numbers);

#endif
