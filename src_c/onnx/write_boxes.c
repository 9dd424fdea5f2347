/* Writers of what detectors use, of images seen at given places, and of what moves elements to given places. See write.h. */
#include "base/alloc.h"
#include "onnx/write.h"
#include <math.h>

/* The names changed with opset 20, which images of three axes take. */
int save_grid_sample(save_call *c)
{
    static const char *const padding[] = {"zeros", "border", "reflection"};
    static const char *const modes[2][3] = {{"nearest", "bilinear", "bicubic"}, {"nearest", "linear", "cubic"}};
    c->held = save_images(c->node->shape.rank);
    const int y = save_add2(c, "GridSample", save_form(c, 0, &c->held), save_input(c, 1));
    save_set_text(c, "mode", modes[save_opset(c) >= 20][save_int(c, "interpolation")]);
    save_set_text(c, "padding_mode", padding[save_int(c, "padding_mode")]);
    save_set_int(c, "align_corners", save_int(c, "align_corners"));
    return y;
}

/* A roi of an image that is not there is 0 here, and an error there. */
int save_roi_align(save_call *c)
{
    static const char *const places[] = {"half_pixel", "output_half_pixel"};
    const cc_list *size = save_list(c, "size");
    c->held = save_images(4);
    const int image = save_cast(c, save_input(c, 2), SAVE_INT64);
    const int y = save_add3(c, "RoiAlign", save_form(c, 0, &c->held), save_input(c, 1), image);
    save_set_text(c, "mode", save_int(c, "mode") ? "max" : "avg");
    save_set_text(c, "coordinate_transformation_mode", places[save_int(c, "coordinate_transformation")]);
    save_set_int(c, "output_height", size->v[0]);
    save_set_int(c, "output_width", size->v[1]);
    save_set_int(c, "sampling_ratio", save_int(c, "sampling_ratio"));
    save_set_float(c, "spatial_scale", save_float(c, "spatial_scale"));
    return y;
}

/* How many rows there are: so many for each class of each sample. */
static int boxes_rows(save_call *c, int scores, int64_t most)
{
    const int64_t known = c->node->shape.dim[0], first = 0;
    if (known >= 0) return save_ints(c, 1, &known);
    const int sizes = save_add1(c, "Shape", scores);
    save_set_int(c, "end", 2);
    const int classes = save_add2(c, "ReduceProd", sizes, save_ints(c, 1, &first));
    return save_add2(c, "Mul", classes, save_ints(c, 1, &most));
}

/* ONNX gives the rows of the boxes that are selected; behind them stand rows of -1, and of all these the first ones are taken. */
int save_non_max_suppression(save_call *c)
{
    const int64_t most = save_int(c, "max_output_boxes_per_class"), first = 0, three = 3, none = -1;
    const float score = save_float(c, "score_threshold");
    const int scores = save_input(c, 1);
    const int inputs[5] = {save_input(c, 0), scores, save_index(c, most),
                           save_number(c, (double)save_float(c, "iou_threshold")),
                           score > -INFINITY ? save_number(c, (double)score) : 0};
    const int selected = save_add(c, "NonMaxSuppression", 5, inputs);
    save_set_int(c, "center_point_box", save_int(c, "center_point_box"));
    const int rows = boxes_rows(c, scores, most), shape = save_add2(c, "Concat", rows, save_ints(c, 1, &three));
    save_set_int(c, "axis", 0);
    const int all = save_add2(c, "Concat", selected, save_add2(c, "Expand", save_ints(c, 1, &none), shape));
    save_set_int(c, "axis", 0);
    const int begin = save_ints(c, 1, &first);
    return save_cast(c, save_add(c, "Slice", 4, (int[]){all, begin, rows, begin}), SAVE_INT32);
}

/* ---- Scattering --------------------------------------------------------------------------------------------------- */

/* Whether positions are constants that name each row once at most, and none outside. */
static bool boxes_are_apart(save_call *c)
{
    const cc_node *node = save_source(c, 1);
    const int64_t n = save_shape(c, 0)->dim[0];
    if (node->kind != CC_CONSTANT || n < 0) return false;
    const int32_t *positions = (const int32_t *)(const void *)node->variable->data;
    const int64_t m = cc_shape_count(&node->shape);
    bool *taken = cc_alloc_zero((uint64_t)n + 1), apart = taken != NULL;
    if (!taken) save_without_memory(c);
    for (int64_t j = 0; apart && j < m; ++j) {
        const int64_t row = positions[j] < 0 ? positions[j] + n : positions[j];
        apart = row >= 0 && row < n && !taken[row];
        if (apart) taken[row] = true;
    }
    cc_free(taken);
    return apart;
}

/* Of several updates of a row the last one counts here, and any there; what they are combined to is the same. Positions outside
 * have no effect here, and are an error there. */
int save_scatter_update(save_call *c)
{
    static const char *const reductions[] = {"none", "add", "mul", "max", "min"};
    const int64_t reduction = save_int(c, "reduction"), last = -1;
    if (!reduction && !boxes_are_apart(c))
        return save_refuse(c, "ONNX's ScatterND takes no position twice, and these are not known to be different");
    const int positions = save_add2(c, "Unsqueeze", save_cast(c, save_input(c, 1), SAVE_INT64), save_ints(c, 1, &last));
    const int y = save_add3(c, "ScatterND", save_input(c, 0), positions, save_input(c, 2));
    if (reduction) save_set_text(c, "reduction", reductions[reduction]);
    return y;
}
