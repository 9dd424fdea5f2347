/* The fastest algorithm of a convolution by measurement: each that fits runs a few times on memory of its own. What was found
 * is remembered by sizes for the life of the process, so that layers of one shape, and plans made later, get the same answer. */
#include "base/alloc.h"
#include "base/clock.h"
#include "algos/conv/conv.h"

#include <stdatomic.h>
#include <string.h>

enum { REMEMBERED = 512, RUNS = 4 };

typedef struct conv_tune_answer {
    cc_conv conv;
    cc_conv_pass pass;
    int nth, winograd;
    bool once;
    int algorithm;
} conv_tune_answer;

static conv_tune_answer answers[REMEMBERED];
static int count;
static atomic_flag busy = ATOMIC_FLAG_INIT; /* guards both; held for a moment only */

static bool conv_tune_same(const conv_tune_answer *a, const conv_tune_answer *b)
{
    return a->conv.n == b->conv.n && a->conv.c == b->conv.c && a->conv.oc == b->conv.oc && a->conv.groups == b->conv.groups &&
           a->pass == b->pass && a->nth == b->nth && a->winograd == b->winograd && a->once == b->once &&
           memcmp(&a->conv.window, &b->conv.window, sizeof a->conv.window) == 0; /* eight-byte fields: nothing between them */
}

/* The answer to the same question, or -1. Remembers `question` if its algorithm is not -1 and there is room. */
static int conv_tune_look_up(const conv_tune_answer *question)
{
    int found = -1;
    while (atomic_flag_test_and_set(&busy)) continue;
    for (int i = 0; i < count && found < 0; ++i)
        if (conv_tune_same(&answers[i], question)) found = answers[i].algorithm;
    if (found < 0 && question->algorithm >= 0 && count < REMEMBERED) answers[count++] = *question;
    atomic_flag_clear(&busy);
    return found;
}

typedef struct conv_tune_trial {
    const cc_conv *conv;
    const cc_conv_algorithm *algorithm;
    cc_conv_pass pass;
    float *in, *w, *out, *packed, *scratch;
    bool packs; /* in every run */
} conv_tune_trial;

static void conv_tune_run(const cc_team *team, void *context)
{
    const conv_tune_trial *t = context;
    if (t->packs) {
        t->algorithm->pack(t->conv, t->pass, t->packed, t->w, team);
        cc_barrier_wait(team);
    }
    const cc_epilogue none = {.act = CC_ACT_LINEAR};
    if (t->pass == CC_CONV_FORWARD)
        t->algorithm->forward(t->conv, t->out, t->in, t->w, t->packed, &none, t->scratch, team);
    else if (t->pass == CC_CONV_INPUT_GRADIENT)
        t->algorithm->input_gradient(t->conv, t->in, t->out, t->w, t->packed, &none, t->scratch, team);
    else
        t->algorithm->weight_gradient(t->conv, t->w, t->in, t->out, t->scratch, team);
}

/* Seconds of the fastest of a few runs; -1 without memory. */
static double conv_tune_measure(const cc_conv *conv, cc_conv_pass pass, const cc_conv_algorithm *algorithm, bool once, int nth)
{
    const bool late = once && algorithm->packs_on_the_fly && algorithm->packs_on_the_fly(conv, pass, nth);
    const int64_t in = conv->n * cc_window_inputs(&conv->window) * conv->c, out = cc_conv_pixels(conv) * conv->oc;
    const int64_t w = cc_conv_taps(conv) * (conv->c / conv->groups) * conv->oc;
    const int64_t packed = algorithm->packed && pass != CC_CONV_WEIGHT_GRADIENT && !late ? algorithm->packed(conv, pass) : 0;
    const int64_t scratch = algorithm->scratch ? algorithm->scratch(conv, pass, nth) : 0;
    const int64_t line = CC_ALIGN / sizeof(float), sizes[5] = {in, w, out, packed, scratch};
    int64_t at[6] = {0};
    for (int i = 0; i < 5; ++i) at[i + 1] = (at[i] + sizes[i] + line - 1) / line * line;
    float *memory = cc_alloc_zero((uint64_t)at[5] * sizeof *memory);
    if (!memory) return -1;
    conv_tune_trial t = {.conv = conv,
                         .algorithm = algorithm,
                         .pass = pass,
                         .in = memory,
                         .w = memory + at[1],
                         .out = memory + at[2],
                         .packed = packed ? memory + at[3] : NULL,
                         .scratch = memory + at[4],
                         .packs = packed > 0};
    double best = -1;
    for (int i = 0; i < RUNS; ++i) {
        const double begin = cc_seconds();
        cc_team_run(nth, conv_tune_run, &t);
        const double took = cc_seconds() - begin;
        if (i > 0 && (best < 0 || took < best)) best = took; /* the first meets cold memory */
        t.packs = packed > 0 && once;
    }
    cc_free(memory);
    return best;
}

int cc_conv_measure(const cc_conv *conv, cc_conv_pass pass, bool once, int nth)
{
    if (nth > cc_team_size()) nth = cc_team_size();
    conv_tune_answer question = {
        .conv = *conv, .pass = pass, .nth = nth, .winograd = cconv_winograd(), .once = once, .algorithm = -1};
    int best = conv_tune_look_up(&question);
    if (best >= 0) return best;
    double least = -1;
    for (int i = 0; cc_conv_algorithm_at(i); ++i) {
        if (!cc_conv_may_choose(conv, i)) continue;
        const double took = conv_tune_measure(conv, pass, cc_conv_algorithm_at(i), once, nth);
        if (took < 0) return cc_conv_choose(conv, pass);
        if (least >= 0 && took >= least) continue;
        least = took;
        best = i;
    }
    question.algorithm = best;
    const int earlier = conv_tune_look_up(&question); /* another thread may have measured the same meanwhile */
    return earlier >= 0 ? earlier : best;
}
