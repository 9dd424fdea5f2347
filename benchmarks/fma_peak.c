/* The fused multiply-adds a machine can do: each thread keeps 12 vectors in registers and does nothing else.
 *
 *     cc -O2 -march=native -ffp-contract=fast -pthread fma_peak.c -o fma_peak && ./fma_peak THREADS
 *
 * Prints GFLOP/s of all threads together, the best of several runs; a multiply-add counts as two. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 16
#elif defined(__AVX__)
#define WIDTH 8
#else
#define WIDTH 4
#endif
#define CHAINS 12 /* enough to hide the latency of an addition, few enough for 16 registers */
#define STEPS 4000000L
#define RUNS 40

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));

static pthread_barrier_t gate;
static double started[256], finished[256];
static volatile float half = 0.5f, one = 1.0f, sink; /* volatile: not known when this is compiled, and not left out */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void chains(void)
{
    vector sums[CHAINS], zero = {0}, a = zero + half, b = zero + one;
    for (int i = 0; i < CHAINS; i++) sums[i] = zero + (float)i * half; /* chains alike would be computed once */
    for (long step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * a + b;
    }
    for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];
    sink = sums[0][0];
}

static void *work(void *end)
{
    long i = (double *)end - finished;
    for (int run = 0; run < RUNS; run++) {
        pthread_barrier_wait(&gate);
        started[i] = now();
        chains();
        finished[i] = now();
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > 256) return 1;
    pthread_barrier_init(&gate, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, &finished[i])) return 1;
    }
    double best = 1e30;
    for (int run = 0; run < RUNS; run++) {
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
        double first = started[0], last = finished[0];
        for (int i = 1; i < threads; i++) {
            first = started[i] < first ? started[i] : first;
            last = finished[i] > last ? finished[i] : last;
        }
        best = last - first < best ? last - first : best;
    }
    printf("%.1f\n", 2e-9 * threads * WIDTH * CHAINS * (double)STEPS / best);
    return 0;
}
