/* The class of an image by an ONNX model of one input, scaled as ImageNet's models have it: classify model.onnx image.ppm */
#include "cconv.h"
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *why)
{
    fprintf(stderr, "classify: %s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    static const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
    int w, h, rank, best = 0;
    int64_t shape[CCONV_MAX_RANK], classes = 1;
    cconv_graph *graph = argc == 3 ? cconv_load_onnx(argv[1], NULL) : NULL;
    if (!graph) return fail(argc == 3 ? cconv_last_error() : "expected a model and an image");
    FILE *file = fopen(argv[2], "rb");
    if (!file || fscanf(file, "P6 %4d %4d 255", &w, &h) != 2 || getc(file) == EOF || w < 1 || h < 1)
        return fail("expected a PPM image (P6)");
    float *x = malloc((size_t)h * w * 3 * sizeof *x);
    for (int i = 0; x && i < h * w * 3; ++i) /* from bytes to (1, 3, h, w) */
        x[i % 3 * h * w + i / 3] = ((float)getc(file) / 255 - mean[i % 3]) / deviation[i % 3];
    if (!x || feof(file)) return fail("no memory, or the image ends early");

    int output = cconv_graph_output_node(graph, 0);
    cconv_plan_options options = {
        .input_shapes = (const int64_t *[]){(int64_t[]){1, 3, h, w}}, .n_outputs = 1, .outputs = &output};
    cconv_plan *plan = cconv_plan_new(graph, &options);
    if (!plan || cconv_plan_shape(plan, output, 1, &rank, shape) != CCONV_OK) return fail(cconv_last_error());
    for (int i = 0; i < rank; ++i) classes *= shape[i];
    float *scores = malloc((size_t)classes * sizeof *scores);
    cconv_batch batch = {
        .n = 1, .inputs = &(cconv_array){x, CCONV_FLOAT32, 1}, .outputs = &(cconv_output){scores, CCONV_FLOAT32}};
    if (!scores || cconv_plan_run(plan, &batch) != CCONV_OK) return fail(cconv_last_error());
    for (int i = 0; i < classes; ++i) best = scores[i] > scores[best] ? i : best;
    printf("class %d, score %g\n", best, scores[best]);
}
