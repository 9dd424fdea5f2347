/* Graphs written as ONNX from C: into memory and to a file, the same bytes; what is refused; and memory that cannot be had. */
#include "cconv.h"
#include "harness.h"
#include <stdlib.h>

static const char *const path = "test_onnx_write.onnx";

typedef struct meter {
    long asked, refuse_at, live; /* refuse_at: the allocation that fails, from 1; 0: none */
} meter;

static void *allocate(size_t bytes, void *context)
{
    meter *m = context;
    if (++m->asked == m->refuse_at) return NULL;
    void *memory = malloc(bytes);
    if (memory) ++m->live;
    return memory;
}

static void release(void *memory, void *context)
{
    --((meter *)context)->live;
    free(memory);
}

/* The file's bytes, for free(); NULL if there is none. */
static unsigned char *read_file(size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    if (bytes && fread(bytes, 1, *size, file) != *size) *size = 0;
    fclose(file);
    return bytes;
}

static void test_memory_and_file_hold_the_same(void)
{
    network net;
    void *bytes = NULL;
    size_t size = 0, in_file = 0;
    CHECK(network_build(&net));
    CHECK(cconv_graph_output(net.graph, "logits", net.logits) == CCONV_OK);
    for (int channels_last = 0; channels_last < 2; ++channels_last) {
        const cconv_onnx_save_options options = {.channels_last = channels_last};
        CHECK(cconv_save_onnx_memory(net.graph, channels_last ? &options : NULL, &bytes, &size) == CCONV_OK);
        CHECK(cconv_save_onnx(net.graph, path, &options) == CCONV_OK);
        unsigned char *file = read_file(&in_file);
        CHECK(file && in_file == size && memcmp(file, bytes, size) == 0);
        CHECK(size > 1000 && ((unsigned char *)bytes)[0] == 8); /* field 1: the version of the format */
        free(file);
        cconv_onnx_free(bytes);
    }
    cconv_onnx_free(NULL);
    remove(path);
    network_free(&net);
}

static void test_refusals_of_the_writer(void)
{
    network net;
    void *bytes = &net;
    size_t size = 7;
    CHECK(network_build(&net));
    CHECK(cconv_save_onnx_memory(net.graph, NULL, &bytes, &size) == CCONV_INVALID && !bytes && !size);
    CHECK_ERROR("cconv_graph_output");
    CHECK(cconv_save_onnx(NULL, path, NULL) == CCONV_INVALID);
    CHECK_ERROR("graph", "NULL");
    CHECK(cconv_save_onnx(net.graph, NULL, NULL) == CCONV_INVALID);
    CHECK_ERROR("path", "NULL");
    CHECK(cconv_save_onnx_memory(net.graph, NULL, NULL, &size) == CCONV_INVALID);
    CHECK_ERROR("places", "NULL");
    CHECK(cconv_graph_output(net.graph, "loss", net.loss) == CCONV_OK);
    CHECK(cconv_save_onnx(net.graph, path, NULL) == CCONV_UNSUPPORTED);
    CHECK_ERROR("a loss is for training");
    size_t none;
    CHECK(read_file(&none) == NULL);
    network_free(&net);
}

static void test_a_writer_without_memory(void)
{
    network net;
    meter m = {0};
    const cconv_allocator allocator = {allocate, release, &m};
    CHECK(network_build(&net));
    CHECK(cconv_graph_output(net.graph, "logits", net.logits) == CCONV_OK);
    cconv_set_allocator(&allocator);
    bool complete = false;
    for (long k = 1; !complete; ++k) {
        void *bytes;
        size_t size;
        m = (meter){.refuse_at = k};
        const cconv_status status = cconv_save_onnx_memory(net.graph, NULL, &bytes, &size);
        complete = m.asked < k;
        CHECK(status == (complete ? CCONV_OK : CCONV_NO_MEMORY) && (bytes != NULL) == complete);
        cconv_onnx_free(bytes);
        CHECK(m.live == 0);
    }
    CHECK(m.asked > 20);
    for (long k = 1; k <= m.asked + 2; ++k) {
        meter again = {.refuse_at = k};
        cconv_set_allocator(&(cconv_allocator){allocate, release, &again});
        const cconv_status status = cconv_save_onnx(net.graph, path, NULL);
        CHECK(status == CCONV_OK || status == CCONV_NO_MEMORY);
        CHECK(again.live == 0);
    }
    cconv_set_allocator(NULL);
    remove(path);
    network_free(&net);
}

const test onnx_write_tests[] = {
    {"memory_and_file_hold_the_same", test_memory_and_file_hold_the_same},
    {"refusals_of_the_writer", test_refusals_of_the_writer},
    {"a_writer_without_memory", test_a_writer_without_memory},
    {0},
};
