/* A rectangular region of a larger tensor: copying it out, and copying it in with one value around. With zeros around the two are
 * each other's transpose, which makes one the backward pass of the other (slice, padding). */
#ifndef CC_REGION_H
#define CC_REGION_H

#include "base/shape.h"
#include "base/team.h"

/* small = large[begin .. begin + small's sizes], along every axis. */
void cc_region_gather(float *small, const cc_shape *small_shape, const float *large, const cc_shape *large_shape,
                      const int64_t *begin, const cc_team *team);

/* large = small inside of that region, `around` elsewhere. */
void cc_region_scatter(float *large, const cc_shape *large_shape, const float *small, const cc_shape *small_shape,
                       const int64_t *begin, float around, const cc_team *team);

#endif
