/* Boxes of detectors, and images seen at given places. */
#include "onnx/reader.h"
#include <math.h>
#include <string.h>

/* Sizes do not depend on values here: there is a row for each box that could be selected, and those behind the last are -1. */
bool onnx_read_NonMaxSuppression(onnx_call *c)
{
    const int boxes = onnx_input(c, 0), scores = onnx_input(c, 1);
    onnx_list most = {.n = 0};
    float overlap = 0, score = -INFINITY; /* without a threshold all scores are above it */
    int room = 1;
    if (onnx_has(c, 2)) onnx_known_ints(c, 2, &most);
    if (onnx_has(c, 3)) onnx_known_floats(c, 3, &overlap, &room);
    room = 1;
    if (onnx_has(c, 4)) onnx_known_floats(c, 4, &score, &room);
    if (onnx_failed(c)) return false;
    if (most.n != 1 || most.v[0] < 1) return onnx_refuse(c, "no max_output_boxes_per_class, which selects nothing");
    const cc_shape *shape = onnx_shape(c, boxes);
    const int64_t all = shape->rank == 3 && shape->dim[1] > 0 ? shape->dim[1] : 1;
    const int y = onnx_add2(c, "non_max_suppression", boxes, scores,
                            "max_output_boxes_per_class=%lld iou_threshold=%.9g center_point_box=%d score_threshold=%.9g",
                            (long long)(most.v[0] < all ? most.v[0] : all), (double)overlap,
                            onnx_int(c, "center_point_box", 0) != 0, (double)score);
    return onnx_give_as(c, 0, y, ONNX_INT64);
}

bool onnx_read_RoiAlign(onnx_call *c)
{
    const char *mode = onnx_string(c, "mode", "avg");
    const char *places =
        onnx_opset(c) < 16 ? "output_half_pixel" : onnx_string(c, "coordinate_transformation_mode", "half_pixel");
    if (onnx_failed(c)) return false;
    if (strcmp(mode, "avg") != 0 && strcmp(mode, "max") != 0) return onnx_refuse(c, "mode '%s'", mode);
    if (strcmp(places, "half_pixel") != 0 && strcmp(places, "output_half_pixel") != 0)
        return onnx_refuse(c, "coordinate_transformation_mode '%s'", places);
    const int inputs[] = {onnx_channels_last(c, onnx_input(c, 0)), onnx_input(c, 1), onnx_input(c, 2)};
    const int y = onnx_add(
        c, "roi_align", 3, inputs, "size=%lld,%lld sampling_ratio=%lld spatial_scale=%.9g mode=%s coordinate_transformation=%s",
        (long long)onnx_int(c, "output_height", 1), (long long)onnx_int(c, "output_width", 1),
        (long long)onnx_int(c, "sampling_ratio", 0), (double)onnx_float(c, "spatial_scale", 1), mode, places);
    return onnx_give(c, 0, onnx_channels_first(c, y));
}

/* Its names changed with opset 20. */
static const char *boxes_interpolation(const char *mode)
{
    if (strcmp(mode, "linear") == 0 || strcmp(mode, "bilinear") == 0) return "bilinear";
    if (strcmp(mode, "cubic") == 0 || strcmp(mode, "bicubic") == 0) return "bicubic";
    return strcmp(mode, "nearest") == 0 ? mode : NULL;
}

bool onnx_read_GridSample(onnx_call *c)
{
    const char *mode = onnx_string(c, "mode", "linear"), *padding = onnx_string(c, "padding_mode", "zeros");
    const int x = onnx_input(c, 0), axes = onnx_shape(c, x)->rank - 2;
    if (onnx_failed(c)) return false;
    const char *interpolation = boxes_interpolation(mode);
    if (!interpolation) return onnx_refuse(c, "mode '%s'", mode);
    if (strcmp(padding, "zeros") != 0 && strcmp(padding, "border") != 0 && strcmp(padding, "reflection") != 0)
        return onnx_refuse(c, "padding_mode '%s'", padding);
    if ((axes != 2 && axes != 3) || (axes == 3 && strcmp(interpolation, "bicubic") == 0))
        return onnx_refuse(c, "mode '%s' and an image of %d axes", mode, axes);
    const int y = onnx_add2(c, "grid_sample", onnx_channels_last(c, x), onnx_input(c, 1),
                            "interpolation=%s padding_mode=%s align_corners=%d", interpolation, padding,
                            onnx_int(c, "align_corners", 0) != 0);
    return onnx_give(c, 0, onnx_channels_first(c, y));
}
