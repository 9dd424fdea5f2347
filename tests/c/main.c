/* Runs every test, or those whose name contains the first argument; says which failed. */
#include "harness.h"
#include "cconv.h"

int checks_failed;

int main(int argc, char **argv)
{
    const test *const tables[] = {arena_tests,     argument_tests, barrier_tests, base_tests,      cancel_tests,
                                  derived_tests,   file_tests,     graph_tests,   growth_tests,    kernel_tests,
                                  log_tests,       memory_tests,   onnx_tests,    onnx_file_tests, onnx_write_tests,
                                  row_block_tests, serving_tests,  thread_tests,  type_tests,      weight_tests};
    int run = 0, failed = 0;
    samples_make();
    for (size_t t = 0; t < sizeof tables / sizeof *tables; ++t)
        for (const test *one = tables[t]; one->name; ++one) {
            if (argc > 1 && !strstr(one->name, argv[1])) continue;
            int before = checks_failed;
            one->run();
            ++run;
            if (checks_failed != before) {
                ++failed;
                printf("FAILED %s\n", one->name);
            }
            fflush(stdout);
        }
    printf("%d C tests, %d failed (%s, %d threads)\n", run, failed, cconv_isa(), cconv_num_threads());
    return failed || !run;
}
