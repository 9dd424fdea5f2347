/* A box inside a larger tensor: taking it out, and putting it into zeros. The two are each other's transpose, which makes one the
 * backward pass of the other (slice, zero padding). */
#ifndef CC_BOX_H
#define CC_BOX_H

#include "base/team.h"
#include "base/shape.h"

/* small = large[begin .. begin + small's sizes], along every axis. */
void cc_box_take(float *small, const cc_shape *small_shape, const float *large, const cc_shape *large_shape,
                 const int64_t *begin, const cc_team *team);

/* large = 0, but small inside of that box. */
void cc_box_put(float *large, const cc_shape *large_shape, const float *small, const cc_shape *small_shape,
                const int64_t *begin, const cc_team *team);

#endif
