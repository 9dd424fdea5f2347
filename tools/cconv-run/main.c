/* cconv-run: an ONNX model on images, from the command line. `cconv-run --help` tells all. */
#include "bench.h"
#include "image.h"
#include "model.h"
#include "prepare.h"
#include "report.h"
#include "say.h"
#include <stdlib.h>

static int run_and_report(model *m, const options *o, const labels *names, const char *of)
{
    return model_run(m, NULL) == CCONV_OK && report_outputs(m, o, names, of);
}

static int run_image(model *m, const options *o, const labels *names, const char *path, void **numbers)
{
    image im;
    if (!image_read(path, &im)) return 0;
    const int fine = prepare_image(m, o, &im, numbers);
    image_free(&im);
    return fine && run_and_report(m, o, names, path);
}

/* Everything behind loading; numbers has room for each input's memory. */
static int run(model *m, const options *o, const labels *names, void **numbers)
{
    int failed = 0;
    if (o->describe && !report_model(m, o)) return FAILED;
    if (o->n_raw > 0) {
        failed = !prepare_raw(m, o, numbers) || !run_and_report(m, o, names, o->raw[0]);
    } else if (o->n_images == 0 && o->bench) {
        failed = !prepare_random(m, o, numbers);
    }
    for (int i = 0; i < o->n_images; ++i) failed |= !run_image(m, o, names, o->images[i], numbers);
    if (failed) return FAILED;
    return o->bench ? bench_runs(m, o) : DONE;
}

int main(int argc, char **argv)
{
    options o;
    labels names = {0};
    model m = {0};
    int status = options_read(argc, argv, &o);
    if (status == DONE) {
        status = FAILED;
        if (labels_read(o.labels, &names) && model_load(&m, &o)) {
            void **numbers = room((size_t)m.n_inputs, sizeof *numbers);
            for (int i = 0; numbers && i < m.n_inputs; ++i) numbers[i] = NULL;
            if (numbers) status = run(&m, &o, &names, numbers);
            for (int i = 0; numbers && i < m.n_inputs; ++i) free(numbers[i]);
            free(numbers);
        }
    }
    labels_free(&names);
    model_free(&m);
    options_free(&o);
    return status < 0 ? DONE : status;
}
