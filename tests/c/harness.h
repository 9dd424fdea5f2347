/* The smallest harness that does: a check that fails is printed with its place, counted, and the test goes on. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

extern int checks_failed;

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) {                                                                                                    \
            ++checks_failed;                                                                                                   \
            printf("%s:%d: not true: %s\n    last error: %s\n", __FILE__, __LINE__, #condition, cconv_last_error());           \
        }                                                                                                                      \
    } while (0)

/* The last error says all of these. */
#define CHECK_ERROR(...)                                                                                                       \
    do {                                                                                                                       \
        const char *const words_[] = {__VA_ARGS__};                                                                            \
        for (size_t i_ = 0; i_ < sizeof words_ / sizeof *words_; ++i_)                                                         \
            if (!strstr(cconv_last_error(), words_[i_])) {                                                                     \
                ++checks_failed;                                                                                               \
                printf("%s:%d: \"%s\" not in the error: %s\n", __FILE__, __LINE__, words_[i_], cconv_last_error());            \
            }                                                                                                                  \
    } while (0)

typedef struct test {
    const char *name;
    void (*run)(void);
} test;

/* Each file's tests; tables end with {0}. */
extern const test arena_tests[], argument_tests[], barrier_tests[], base_tests[], cancel_tests[], derived_tests[], file_tests[],
    graph_tests[], growth_tests[], kernel_tests[], log_tests[], memory_tests[], onnx_tests[], onnx_file_tests[],
    onnx_write_tests[], row_block_tests[], serving_tests[], thread_tests[], type_tests[], weight_tests[];

/* A small convolutional network with a loss, used by several files: two branches of everything that has state. */
typedef struct network {
    struct cconv_graph *graph;
    struct cconv_variable *variables[10];
    int n_variables;
    int wrt[8];
    int n_wrt;
    int x, y, logits, loss;
} network;

/* Builds it; false, with what was made kept for network_free, if anything fails. */
bool network_build(network *net);
void network_free(network *net);

/* Some images (n, 8, 8, 2) and their class numbers, 0 .. 2. */
enum { SAMPLES = 24, PIXELS = 8 * 8 * 2, CLASSES = 3 };
extern float images[SAMPLES * PIXELS];
extern int32_t labels[SAMPLES];
void samples_make(void); /* before the first test */

#endif
