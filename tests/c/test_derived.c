/* What plans derive from variables and share: one copy, right after every change, whoever writes it and whatever fails. */
#define _POSIX_C_SOURCE 200809L
#include "cconv.h"
#include "harness.h"
#include "plan/derived.h"
#include <stdlib.h>
#if !defined(_WIN32)
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

/* Two convolutions of 3x3 with batch normalization, then a dense layer, all of them large enough to be shared. */
enum { C = 48, SIDE = 12, OUT = 384, KERNEL = 9 * C * C, IMAGE = SIDE * SIDE * C, VARIABLES = 11, MOST = 4 };

typedef struct weights {
    cconv_variable *all[VARIABLES]; /* two kernels, gamma, beta, mean, variance of each, the matrix */
} weights;

static float batch_of_images[MOST * IMAGE];

static void weights_set(weights *w, int seed)
{
    for (int i = 0; i < VARIABLES; ++i) {
        float *data = cconv_variable_data(w->all[i]);
        for (size_t j = 0; j < cconv_variable_count(w->all[i]); ++j)
            data[j] = (float)((j * 7 + (size_t)(i + seed) * 13) % 29) / 290 + (i % 5 == 4 ? 0.5f : 0);
        cconv_variable_touch(w->all[i]);
    }
}

static bool weights_make(weights *w)
{
    bool good = true;
    for (int i = 0; i < VARIABLES; ++i) {
        w->all[i] = i == VARIABLES - 1 ? cconv_variable_new(2, (int64_t[]){C, OUT})
                    : i % 5 == 0       ? cconv_variable_new(4, (int64_t[]){3, 3, C, C})
                                       : cconv_variable_new(1, (int64_t[]){C});
        good = good && w->all[i];
    }
    if (good) weights_set(w, 0);
    return good;
}

static void weights_free(weights *w)
{
    for (int i = 0; i < VARIABLES; ++i) cconv_variable_free(w->all[i]);
}

typedef struct reader {
    cconv_graph *graph;
    cconv_plan *plan;
    int64_t n;
    float y[MOST * OUT];
} reader;

/* A graph and a plan of its own over these weights. The dense layer first: the one that reads them in another order. */
static bool reader_make(reader *r, const weights *w, int64_t n, int side, const char *norm, bool dense_first)
{
    cconv_graph *g = r->graph = cconv_graph_new();
    r->plan = NULL, r->n = n;
    if (!g) return false;
    int x = cconv_graph_input(g, "x", CCONV_FLOAT32, 4, (int64_t[]){-1, side, side, C}), nodes[VARIABLES];
    for (int i = 0; i < VARIABLES; ++i) nodes[i] = cconv_graph_variable(g, "w", w->all[i]);
    const int dense = VARIABLES - 1;
    if (dense_first) {
        const int y = cconv_graph_add(g, "global_avg_pool", NULL, 1, &x, NULL);
        const int first = cconv_graph_add(g, "dense", NULL, 2, (int[]){y, nodes[dense]}, NULL);
        x = cconv_graph_add(g, "add", NULL, 2, (int[]){x, cconv_graph_add(g, "mean", NULL, 1, &first, NULL)}, NULL);
    }
    for (int i = 0; i < 2; ++i) {
        x = cconv_graph_add(g, "conv", NULL, 2, (int[]){x, nodes[5 * i]}, "padding=same");
        const int inputs[] = {x, nodes[5 * i + 1], nodes[5 * i + 2], nodes[5 * i + 3], nodes[5 * i + 4]};
        x = cconv_graph_add(g, "batch_norm", NULL, 5, inputs, norm);
    }
    x = cconv_graph_add(g, "global_avg_pool", NULL, 1, &x, NULL);
    x = cconv_graph_add(g, "dense", NULL, 2, (int[]){x, nodes[dense]}, NULL);
    r->plan = cconv_plan_new(g, &(cconv_plan_options){.max_batch = n, .n_outputs = 1, .outputs = &x});
    return r->plan != NULL;
}

static void reader_free(reader *r)
{
    cconv_plan_free(r->plan);
    cconv_graph_free(r->graph);
}

static bool reader_run(reader *r)
{
    return cconv_plan_run(r->plan, &(cconv_batch){.n = r->n,
                                                  .inputs = &(cconv_array){batch_of_images, CCONV_FLOAT32, MOST},
                                                  .outputs = &(cconv_output){r->y, CCONV_FLOAT32}}) == CCONV_OK;
}

/* Whether a reader says what a plan over weights of its own, of the same numbers, does: one that shares nothing with it. */
static bool reader_is_right(reader *r, int seed, bool dense_first)
{
    weights w;
    static reader alone;
    bool good = weights_make(&w);
    weights_set(&w, seed);
    good = good && reader_make(&alone, &w, r->n, SIDE, NULL, dense_first) && reader_run(&alone) &&
           !memcmp(alone.y, r->y, (size_t)r->n * OUT * sizeof *r->y);
    reader_free(&alone);
    weights_free(&w);
    return good;
}

static void images_make(void)
{
    for (int i = 0; i < MOST * IMAGE; ++i) batch_of_images[i] = (float)(i % 23 - 11) / 23;
}

static void test_plans_of_the_same_weights_share_one_copy(void)
{
    weights w;
    static reader one, many, other, small;
    images_make();
    CHECK(weights_make(&w) && reader_make(&one, &w, 1, SIDE, NULL, false));
    const size_t alone = cconv_shared_bytes();
    CHECK(alone >= (2 * KERNEL + C * OUT) * sizeof(float));
    CHECK(cconv_plan_bytes(one.plan) > alone);
    CHECK(reader_make(&many, &w, MOST, SIDE, NULL, true));
    CHECK(cconv_shared_bytes() == alone);
    char text[4096], said[64];
    cconv_plan_describe(many.plan, text, sizeof text);
    snprintf(said, sizeof said, "of them %zu shared", alone);
    CHECK(strstr(text, said));
    CHECK(reader_run(&one) && reader_run(&many));
    CHECK(reader_is_right(&one, 0, false) && reader_is_right(&many, 0, true));

    /* what is computed in another way has its own: kernels scaled otherwise, tiles of another size */
    CHECK(reader_make(&other, &w, 1, SIDE, "epsilon=0.5", false));
    const size_t both = cconv_shared_bytes();
    CHECK(both > alone && both < 2 * alone); /* the matrix is the same */
    CHECK(reader_make(&small, &w, 1, 2, NULL, false));
    CHECK(cconv_shared_bytes() > both);
    CHECK(reader_run(&other) && memcmp(one.y, other.y, OUT * sizeof(float)) != 0);
    CHECK(reader_run(&one) && reader_is_right(&one, 0, false));
    reader_free(&small);
    reader_free(&other);
    reader_free(&one);
    CHECK(cconv_shared_bytes() == alone);
    CHECK(reader_run(&many) && reader_is_right(&many, 0, true));
    reader_free(&many);
    CHECK(cconv_shared_bytes() == 0);
    weights_free(&w);
}

static void test_both_plans_see_every_change(void)
{
    weights w;
    static reader a, b;
    images_make();
    CHECK(weights_make(&w) && reader_make(&a, &w, 1, SIDE, NULL, false) && reader_make(&b, &w, 2, SIDE, NULL, true));
    for (int round = 0; round < 4; ++round) {
        weights_set(&w, round);
        CHECK(reader_run(round % 2 ? &a : &b));
        CHECK(reader_run(&a) && reader_is_right(&a, round, false));
        CHECK(reader_run(&b) && reader_is_right(&b, round, true));
    }
    /* a change of one small variable is one of all that was made with it */
    cconv_variable_data(w.all[1])[3] += 1;
    cconv_variable_touch(w.all[1]);
    float before[OUT];
    memcpy(before, a.y, sizeof before);
    CHECK(reader_run(&b) && reader_run(&a) && memcmp(before, a.y, sizeof before) != 0);
    reader_free(&a);
    reader_free(&b);
    weights_free(&w);
}

typedef struct meter {
    long asked, refuse_at, live;
} meter;

static void *allocate(size_t bytes, void *context)
{
    meter *m = context;
    void *memory = ++m->asked == m->refuse_at ? NULL : malloc(bytes);
    if (memory) ++m->live;
    return memory;
}

static void release(void *memory, void *context)
{
    --((meter *)context)->live;
    free(memory);
}

static void test_memory_for_a_copy_may_fail(void)
{
    meter m = {0};
    static reader r, other;
    weights w;
    CHECK(weights_make(&w) && reader_make(&other, &w, 1, SIDE, "epsilon=0.5", false)); /* of which the matrix is shared */
    const size_t before = cconv_shared_bytes();
    cconv_set_allocator(&(cconv_allocator){allocate, release, &m});
    bool good = false;
    for (long k = 1; !good && k < 1000; ++k) {
        m = (meter){.refuse_at = k};
        good = reader_make(&r, &w, 1, SIDE, NULL, false);
        if (!good) {
            CHECK_ERROR("memory");
            CHECK(cconv_shared_bytes() == before);
        }
        reader_free(&r);
        CHECK(m.live == 0 && cconv_shared_bytes() == before);
    }
    CHECK(good && m.asked < m.refuse_at);
    cconv_set_allocator(NULL);
    reader_free(&other);
    weights_free(&w);
}

/* A run that ends behind a step leaves what was written before it to others, and itself does what is left in the next run. */
static void test_a_run_that_is_refused_leaves_copies_right(void)
{
    enum { ROWS = 64, WIDE = 512 };
    images_make();
    cconv_variable *w = cconv_variable_new(2, (int64_t[]){ROWS, WIDE}), *table = cconv_variable_new(2, (int64_t[]){ROWS, ROWS});
    cconv_graph *g = cconv_graph_new();
    const int x = cconv_graph_input(g, "x", CCONV_INT32, 1, (int64_t[]){-1});
    const int t = cconv_graph_variable(g, "table", table), v = cconv_graph_variable(g, "w", w);
    const int some = cconv_graph_constant(g, "some", CCONV_FLOAT32, 2, (int64_t[]){1, ROWS}, batch_of_images);
    const int early = cconv_graph_add(g, "dense", NULL, 2, (int[]){some, t}, NULL); /* constant: what it packs comes first */
    const int rows = cconv_graph_add(g, "take", NULL, 2, (int[]){t, x}, "axis=0 checked=1");
    const int y = cconv_graph_add(g, "dense", NULL, 2, (int[]){rows, v}, NULL);
    cconv_plan *plans[2];
    for (int i = 0; i < ROWS * WIDE; ++i) cconv_variable_data(w)[i] = (float)(i % 31) / 31;
    for (int i = 0; i < ROWS * ROWS; ++i) cconv_variable_data(table)[i] = (float)(i % 19) / 19;
    float results[2][WIDE];
    for (int i = 0; i < 2; ++i)
        plans[i] = cconv_plan_new(g, &(cconv_plan_options){.max_batch = 1, .n_outputs = 2, .outputs = (int[]){y, early}});
    CHECK(plans[0] && plans[1]);
    for (int i = 0; plans[0] && plans[1] && i < 4; ++i) {
        const int32_t row = i % 2 ? 3 : ROWS; /* there is no such row */
        cconv_variable_touch(w);
        const cconv_status status = cconv_plan_run(
            plans[i / 2], &(cconv_batch){.n = 1,
                                         .inputs = &(cconv_array){&row, CCONV_INT32, 1},
                                         .outputs = (cconv_output[]){{results[i / 2], CCONV_FLOAT32}, {NULL, CCONV_FLOAT32}}});
        CHECK((status == CCONV_OK) == (i % 2 == 1));
    }
    CHECK(!memcmp(results[0], results[1], sizeof results[0]) && results[0][1] > 0);
    for (int i = 0; i < 2; ++i) cconv_plan_free(plans[i]);
    cconv_graph_free(g);
    cconv_variable_free(w);
    cconv_variable_free(table);
}

#if !defined(_WIN32)
static void *run_in_thread(void *context)
{
    return reader_run(context) ? context : NULL;
}

/* Two runs at once find the same copies out of date, in opposite orders. */
static void test_two_runs_write_the_same_copies(void)
{
    enum { SEEDS = 3 };
    weights w;
    static reader a, b;
    static float first[SEEDS][2][MOST * OUT]; /* what each said of the numbers of a seed, which was right */
    images_make();
    CHECK(weights_make(&w) && reader_make(&a, &w, 2, SIDE, NULL, false) && reader_make(&b, &w, 2, SIDE, NULL, true));
    for (int round = 0; round < 20; ++round) {
        pthread_t other;
        void *good = NULL;
        const int seed = round % SEEDS;
        weights_set(&w, seed);
        CHECK(pthread_create(&other, NULL, run_in_thread, &b) == 0);
        CHECK(reader_run(&a));
        pthread_join(other, &good);
        CHECK(good);
        if (round < SEEDS) {
            CHECK(reader_is_right(&a, seed, false) && reader_is_right(&b, seed, true));
            memcpy(first[seed][0], a.y, sizeof a.y), memcpy(first[seed][1], b.y, sizeof b.y);
        }
        CHECK(!memcmp(first[seed][0], a.y, 2 * OUT * sizeof *a.y) && !memcmp(first[seed][1], b.y, 2 * OUT * sizeof *b.y));
    }
    reader_free(&a);
    reader_free(&b);
    weights_free(&w);
}

enum { WRITERS = 3, WRITINGS = 400 };

typedef struct writing {
    cc_derived *derived;
    bool wrote[WRITINGS + 1];
    bool good;
} writing;

/* Each version is written once, whoever comes first, unless a later one is there already. */
static void *write_versions(void *context)
{
    writing *job = context;
    for (uint64_t version = 1; version <= WRITINGS; ++version) {
        if (cc_derived_begin(job->derived, version)) {
            for (int i = 0; i < 8; ++i) job->derived->data[i] = (float)version;
            cc_derived_end(job->derived, version);
            job->wrote[version] = true;
        }
        const uint64_t found = cc_derived_version(job->derived);
        job->good &= found >= version || (found == 0 && version < WRITINGS); /* 0: another writes a later one */
    }
    return NULL;
}

static void test_a_version_is_written_once(void)
{
    static writing jobs[WRITERS];
    pthread_t threads[WRITERS];
    cc_derived *derived = cc_derived_get("a test's own", 8 * sizeof(float));
    CHECK(derived && cc_derived_get("a test's own", 8 * sizeof(float)) == derived && cc_derived_place() == CCONV_OK);
    cc_derived_release(derived);
    bool good = true;
    for (int i = 0; i < WRITERS; ++i) jobs[i] = (writing){.derived = derived, .good = true};
    for (int i = 0; i < WRITERS; ++i) CHECK(pthread_create(&threads[i], NULL, write_versions, &jobs[i]) == 0);
    for (int i = 0; i < WRITERS; ++i) pthread_join(threads[i], NULL);
    for (int version = 1; version <= WRITINGS; ++version) {
        int wrote = 0;
        for (int i = 0; i < WRITERS; ++i) wrote += jobs[i].wrote[version];
        good &= version < WRITINGS ? wrote <= 1 : wrote == 1;
    }
    for (int i = 0; i < WRITERS; ++i) good &= jobs[i].good;
    for (int i = 0; i < 8; ++i) good &= derived->data[i] == WRITINGS;
    CHECK(good);
    /* what was written is no good: the next one writes it anew */
    CHECK(!cc_derived_begin(derived, WRITINGS) && cc_derived_begin(derived, WRITINGS + 1));
    cc_derived_end(derived, 0);
    CHECK(cc_derived_begin(derived, 1));
    cc_derived_end(derived, 1);
    cc_derived_release(derived);
}

/* A thread that is not in the child was writing: the child does not wait for it. */
static void test_a_fork_waits_for_nobody(void)
{
    cc_derived *derived = cc_derived_get("a test's own", sizeof(float));
    CHECK(derived && cc_derived_begin(derived, 7));
    const pid_t child = fork();
    if (child == 0) {
        alarm(60); /* ends one that waits */
        const bool good = cc_derived_begin(derived, 7);
        if (good) cc_derived_end(derived, 7);
        _exit(good && !cc_derived_begin(derived, 7) ? 0 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    cc_derived_end(derived, 7);
    CHECK(!cc_derived_begin(derived, 7));
    cc_derived_release(derived);
}
#endif

const test derived_tests[] = {
    {"derived_plans_of_the_same_weights_share_one_copy", test_plans_of_the_same_weights_share_one_copy},
    {"derived_both_plans_see_every_change", test_both_plans_see_every_change},
    {"derived_memory_for_a_copy_may_fail", test_memory_for_a_copy_may_fail},
    {"derived_a_run_that_is_refused_leaves_copies_right", test_a_run_that_is_refused_leaves_copies_right},
#if !defined(_WIN32)
    {"derived_two_runs_write_the_same_copies", test_two_runs_write_the_same_copies},
    {"derived_a_version_is_written_once", test_a_version_is_written_once},
    {"derived_a_fork_waits_for_nobody", test_a_fork_waits_for_nobody},
#endif
    {0},
};
