/* NumPy's broadcasting, in one place: the shape rule, and the walk over a result in runs along which every operand is either
 * read one element after another or repeated.
 *
 * Shapes are aligned at their last axis; sizes agree when they are equal or one of them is 1, which is then repeated. */
#ifndef CC_BROADCAST_H
#define CC_BROADCAST_H

#include "base/team.h"
#include "base/shape.h"

#define CC_BROADCAST_OPERANDS 3

/* The shape of the two together, or false if they do not fit. An unknown size beside a known one other than 1 takes that one. */
bool cc_broadcast_shape(const cc_shape *a, const cc_shape *b, cc_shape *y);

/* Bit k is set if axis k of ys is one over which xs is repeated. xs must broadcast to ys. */
unsigned cc_broadcast_repeated(const cc_shape *xs, const cc_shape *ys);

/* Axes that no operand can tell apart are merged: equal shapes become one axis, a bias along the channels two. */
typedef struct cc_broadcast {
    int n, rank;                                           /* operands; merged axes, at least 1 */
    int64_t dim[CCONV_MAX_RANK];                           /* of the result */
    int64_t stride[CC_BROADCAST_OPERANDS][CCONV_MAX_RANK]; /* in elements; 0 along axes an operand is repeated over */
} cc_broadcast;

void cc_broadcast_init(cc_broadcast *broadcast, const cc_shape *ys, int n, const cc_shape *xs);

/* True if operand i moves along the runs of a walk, false if one element serves a whole run. */
static inline bool cc_broadcast_moves(const cc_broadcast *broadcast, int i)
{
    return broadcast->stride[i][broadcast->rank - 1] != 0;
}

/* Runs of the elements range.begin .. range.end-1 of the result:
 *
 *     for (cc_walk walk = cc_walk_begin(&broadcast, range); walk.run > 0; cc_walk_next(&walk))
 *         ... y + walk.position and a + walk.offset[0], b + walk.offset[1], for walk.run elements */
typedef struct cc_walk {
    const cc_broadcast *broadcast;
    int64_t position, end, run;
    int64_t index[CCONV_MAX_RANK], offset[CC_BROADCAST_OPERANDS];
} cc_walk;

cc_walk cc_walk_begin(const cc_broadcast *broadcast, cc_range range);
void cc_walk_next(cc_walk *walk);

#endif
