/* non_max_suppression: of boxes that overlap the ones with the best scores, as ONNX' NonMaxSuppression selects them.
 * boxes (n, k, 4), scores (n, classes, k) -> y (n classes max_output_boxes_per_class, 3): a row [sample, class, box] for each box
 * selected, sample by sample and class by class, best first. Rows behind the last are -1: sizes do not depend on values.
 *
 * Of a class the boxes whose score is above score_threshold are taken in turn from the best score on, of equal ones the first, and
 * selected unless their intersection over union with one selected before is above iou_threshold. A box without area overlaps with
 * none. A NaN is above nothing.
 *
 * Threads select for classes of their own; then each knows how many rows stand before its own. No gradient passes. */
#include "ops/infer.h"

typedef struct non_max_suppression {
    int64_t most;
    float iou_threshold, score_threshold;
    int center_point_box;
} non_max_suppression;

static const cc_attr non_max_suppression_attributes[] = {
    {"max_output_boxes_per_class", CC_INT, offsetof(non_max_suppression, most), NULL, NULL,
     "boxes that are selected of a class at most, and that there is room for"},
    {"iou_threshold", CC_FLOAT, offsetof(non_max_suppression, iou_threshold), "0", NULL,
     "boxes whose intersection over union with a better one is above it are left out"},
    {"score_threshold", CC_FLOAT, offsetof(non_max_suppression, score_threshold), "-inf", NULL,
     "boxes whose score is not above it are left out"},
    {"center_point_box", CC_BOOL, offsetof(non_max_suppression, center_point_box), "0", NULL,
     "0: a box is y1, x1, y2, x2, two opposite corners; 1: x, y of the centre, width, height"},
    {0}};

static cconv_status non_max_suppression_infer(const cc_call *call, cc_shape *ys)
{
    const cc_shape *bs = &call->xs[0], *ss = &call->xs[1];
    const int64_t most = ((const non_max_suppression *)call->attributes)->most;
    char text[2][CC_SHAPE_TEXT];
    if (bs->rank != 3 || ss->rank != 3 || !cc_agree(bs->dim[0], ss->dim[0]) || !cc_agree(bs->dim[1], ss->dim[2]) ||
        !cc_agree(bs->dim[2], 4))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected boxes of shape (n, k, 4) and scores of shape (n, classes, k), received shapes %s and %s",
                          cc_shape_text(bs, text[0]), cc_shape_text(ss, text[1]));
    if (most < 1 || most > INT32_MAX || bs->dim[1] > INT32_MAX || ss->dim[2] > INT32_MAX)
        return cc_op_fail(call, CCONV_INVALID,
                          "expected max_output_boxes_per_class from 1 to %d, and no more boxes, received %lld for shape %s",
                          INT32_MAX, (long long)most, cc_shape_text(bs, text[0]));
    const cc_shape room = {.rank = 4, .dim = {bs->dim[0] < 0 ? ss->dim[0] : bs->dim[0], ss->dim[1], most, 3}};
    const bool known = cc_shape_known(&room);
    if (known && !cc_shape_check(&room))
        return cc_op_fail(call, CCONV_INVALID,
                          "expected a result that fits in memory, received %lld boxes for each class of scores of shape %s",
                          (long long)most, cc_shape_text(ss, text[0]));
    *ys = (cc_shape){.rank = 2, .dim = {known ? cc_shape_product(&room, 0, 3) : CC_UNKNOWN, 3}};
    return CCONV_OK;
}

/* Sizes, and how many boxes can be selected of a class. */
typedef struct plan {
    int64_t classes, lists, k, room; /* lists: classes of all samples */
} plan;

static plan non_max_suppression_plan(const cc_call *call)
{
    const cc_shape *ss = &call->xs[1];
    const int64_t most = ((const non_max_suppression *)call->attributes)->most, k = ss->dim[2];
    return (plan){ss->dim[1], ss->dim[0] * ss->dim[1], k, k < most ? k : most};
}

/* Numbers of boxes: how many are selected of each class, which, and for each thread those that may still be. */
static void non_max_suppression_need(const cc_call *call, int nth, cc_need *need)
{
    const plan p = non_max_suppression_plan(call);
    need->forward_scratch = (uint64_t)(p.lists * (1 + p.room) + (int64_t)nth * p.k) * sizeof(int32_t);
}

/* Whether box a comes before box b. */
static inline bool non_max_suppression_before(const float *scores, int32_t a, int32_t b)
{
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}

/* Makes a heap of n boxes, the next one first, whole again from place i on down. */
static void non_max_suppression_sift(const float *scores, int32_t *heap, int64_t n, int64_t i)
{
    const int32_t box = heap[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && non_max_suppression_before(scores, heap[child + 1], heap[child])) ++child;
        if (!non_max_suppression_before(scores, heap[child], box)) break;
        heap[i] = heap[child];
    }
    heap[i] = box;
}

typedef struct corners {
    double low[2], high[2], area;
} corners;

static corners non_max_suppression_corners(const float *box, bool center)
{
    corners c;
    for (int k = 0; k < 2; ++k) {
        const double a = (double)box[k], b = (double)box[k + 2];
        c.low[k] = center ? a - b / 2 : a < b ? a : b;
        c.high[k] = center ? a + b / 2 : a < b ? b : a;
    }
    c.area = (c.high[0] - c.low[0]) * (c.high[1] - c.low[1]);
    return c;
}

static bool non_max_suppression_overlap(const corners *a, const corners *b, float threshold)
{
    double common = 1;
    for (int k = 0; k < 2; ++k) {
        const double low = a->low[k] > b->low[k] ? a->low[k] : b->low[k];
        const double high = a->high[k] < b->high[k] ? a->high[k] : b->high[k];
        if (!(high > low)) return false;
        common *= high - low;
    }
    return a->area > 0 && b->area > 0 && common / (a->area + b->area - common) > (double)threshold;
}

/* Selects boxes of a class; returns how many. */
static int32_t non_max_suppression_select(const non_max_suppression *a, const plan *p, const float *boxes, const float *scores,
                                          int32_t *heap, int32_t *selected)
{
    int64_t n = 0;
    int32_t count = 0;
    for (int64_t i = 0; i < p->k; ++i)
        if (scores[i] > a->score_threshold) heap[n++] = (int32_t)i;
    for (int64_t i = n / 2 - 1; i >= 0; --i) non_max_suppression_sift(scores, heap, n, i);
    while (n > 0 && count < p->room) {
        const int32_t box = heap[0];
        heap[0] = heap[--n];
        if (n > 0) non_max_suppression_sift(scores, heap, n, 0);
        const corners candidate = non_max_suppression_corners(boxes + (int64_t)box * 4, a->center_point_box);
        bool apart = true;
        for (int32_t j = 0; apart && j < count; ++j) {
            const corners better = non_max_suppression_corners(boxes + (int64_t)selected[j] * 4, a->center_point_box);
            apart = !non_max_suppression_overlap(&candidate, &better, a->iou_threshold);
        }
        if (apart) selected[count++] = box;
    }
    return count;
}

static void non_max_suppression_forward(const cc_call *call, const cc_team *team)
{
    const non_max_suppression *a = call->attributes;
    const plan p = non_max_suppression_plan(call);
    int32_t *counts = call->scratch, *selected = counts + p.lists, *heap = selected + p.lists * p.room + team->ith * p.k;
    const cc_range mine = cc_slice(team, p.lists, 1);
    for (int64_t list = mine.begin; list < mine.end; ++list)
        counts[list] = non_max_suppression_select(a, &p, call->x[0] + list / p.classes * p.k * 4, call->x[1] + list * p.k, heap,
                                                  selected + list * p.room);
    cc_barrier_wait(team);
    int64_t row = 0, found = 0;
    for (int64_t list = 0; list < p.lists; ++list) {
        if (list < mine.begin) row += counts[list];
        found += counts[list];
    }
    int32_t *y = cc_ints_out(call->y);
    for (int64_t list = mine.begin; list < mine.end; ++list)
        for (int32_t j = 0; j < counts[list]; ++j, ++row) {
            y[row * 3] = (int32_t)(list / p.classes);
            y[row * 3 + 1] = (int32_t)(list % p.classes);
            y[row * 3 + 2] = selected[list * p.room + j];
        }
    const cc_range rest = cc_slice(team, (call->ys.dim[0] - found) * 3, 2048);
    for (int64_t i = rest.begin; i < rest.end; ++i) y[found * 3 + i] = -1;
}

const cc_op cc_op_non_max_suppression = {.name = "non_max_suppression",
                                         .inputs = "boxes scores",
                                         .meaning =
                                             "boxes: of each sample, for all classes; scores: of each class for each box",
                                         .types = "f f -> i",
                                         .attributes = non_max_suppression_attributes,
                                         .attributes_size = sizeof(non_max_suppression),
                                         .infer = non_max_suppression_infer,
                                         .need = non_max_suppression_need,
                                         .forward = non_max_suppression_forward};
