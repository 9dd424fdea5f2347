/* A camera gives a frame every so often, and an answer that comes later than its budget is worth nothing: a run that takes too
 * long is cancelled, and of the frames that came meanwhile only the newest is looked at.
 *
 *     cc -Isrc_c/include examples/c/latency_budget.c build/lib/libcconv.a $(cat build/lib/link_flags) -o latency_budget
 *     ./latency_budget model.onnx [budget and time between frames in milliseconds [frames]]
 *
 * Prints how many frames were answered, late, cancelled and skipped, and how long the answers took. */
#define _POSIX_C_SOURCE 200809L
#include "cconv.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void sleep_until(double when)
{
    const double left = when - milliseconds();
    if (left > 0) nanosleep(&(struct timespec){(time_t)(left / 1e3), (long)(left * 1e6) % 1000000000}, NULL);
}

/* Cancels a run whose time is over. The lock keeps it from cancelling the next run for the last one's sake. */
typedef struct watch {
    cconv_plan *plan;
    pthread_mutex_t lock;
    double deadline; /* of the run that is going on; 0: none is; below 0: the end */
} watch;

static void set_deadline(watch *w, double deadline)
{
    pthread_mutex_lock(&w->lock);
    w->deadline = deadline;
    pthread_mutex_unlock(&w->lock);
}

static void *look_at_the_clock(void *context)
{
    watch *w = context;
    for (double deadline = 0; deadline >= 0; sleep_until(milliseconds() + 0.5)) {
        pthread_mutex_lock(&w->lock);
        deadline = w->deadline;
        if (deadline > 0 && milliseconds() > deadline) cconv_plan_cancel(w->plan);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    const double budget = argc > 2 ? atof(argv[2]) : 33;
    const int frames = argc > 3 ? atoi(argv[3]) : 100;
    if (argc < 2 || !(budget > 0) || frames < 1) {
        fprintf(stderr, "usage: %s model.onnx [milliseconds [frames]]\n", argv[0]);
        return 2;
    }
    cconv_graph *graph = cconv_load_onnx(argv[1], NULL);
    cconv_plan *plan = graph ? cconv_plan_new(graph, &(cconv_plan_options){.max_batch = 1}) : NULL;
    if (!plan) return give_up(cconv_last_error());

    int node = 1, rank; /* the input, a frame; the first output, an answer */
    int64_t shape[CCONV_MAX_RANK], frame_size = 1, answer_size = 1;
    for (cconv_node n; cconv_graph_node(graph, node, &n) == CCONV_OK && n.kind != CCONV_INPUT;) ++node;
    cconv_graph_shape(graph, node, &rank, shape);
    for (int i = 0; i < rank; ++i) frame_size *= i == 0 && shape[0] < 0 ? 1 : shape[i];
    if (cconv_plan_shape(plan, cconv_graph_output_node(graph, 0), 1, &rank, shape) != CCONV_OK)
        return give_up(cconv_last_error());
    for (int i = 0; i < rank; ++i) answer_size *= shape[i];
    float *frame = malloc((size_t)frame_size * sizeof *frame), *answer = malloc((size_t)answer_size * sizeof *answer);
    double *took = malloc((size_t)frames * sizeof *took);
    if (!frame || !answer || !took) return give_up("out of memory");

    for (int64_t k = 0; k < frame_size; ++k) frame[k] = 0;
    const cconv_array input = {frame, CCONV_FLOAT32, 1};
    const cconv_output output = {answer, CCONV_FLOAT32};
    const cconv_batch batch = {.n = 1, .inputs = &input, .outputs = &output};
    if (cconv_plan_run(plan, &batch) != CCONV_OK) return give_up(cconv_last_error()); /* the first run packs the weights */

    pthread_t watcher;
    watch w = {.plan = plan, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (pthread_create(&watcher, NULL, look_at_the_clock, &w) != 0) return give_up("no thread");
    int answered = 0, late = 0, cancelled = 0, skipped = 0;
    const double began = milliseconds();
    for (int i = 0; i < frames; ++i) {
        const int newest = (int)((milliseconds() - began) / budget);
        if (newest > i) { /* the camera has not waited */
            const int next = newest < frames ? newest : frames;
            skipped += next - i;
            i = next;
            if (i == frames) break;
        }
        const double came = began + i * budget;
        sleep_until(came);
        for (int64_t k = 0; k < frame_size; ++k) frame[k] = (float)((k * 31 + i * 17) % 256) / 255; /* the picture */
        set_deadline(&w, came + budget);
        const cconv_status status = cconv_plan_run(plan, &batch);
        set_deadline(&w, 0);
        took[answered] = milliseconds() - came;
        if (status == CCONV_OK && took[answered] <= budget)
            ++answered;
        else if (status == CCONV_OK)
            ++late; /* within its last op when the time was over */
        else if (status == CCONV_INTERRUPTED)
            ++cancelled;
        else
            return give_up(cconv_last_error());
    }
    set_deadline(&w, -1);
    pthread_join(watcher, NULL);

    printf("%d frames, one every %g ms: %d answered, %d late, %d cancelled, %d skipped\n", frames, budget, answered, late,
           cancelled, skipped);
    qsort(took, (size_t)answered, sizeof *took, by_size);
    for (int i = 0; answered && i < 4; ++i) {
        const int percent[] = {50, 90, 99, 100};
        printf("%3d %% of answers within %.2f ms\n", percent[i], took[(answered - 1) * percent[i] / 100]);
    }
    free(frame);
    free(answer);
    free(took);
    cconv_plan_free(plan);
    cconv_graph_free(graph);
    return 0;
}
