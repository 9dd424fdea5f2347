/* Files of parameters: there and back, what is damaged or does not fit, what the system refuses, memory that is not there. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "cconv.h"
#include "files/json.h"
#include "harness.h"
#include <stdlib.h>
#if !defined(_WIN32)
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/cconv_files_XXXXXX", path[64];

static void begin(void)
{
    strcpy(folder, "/tmp/cconv_files_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/parameters", folder);
}

/* Nothing but the file itself may be left. */
static void end(void)
{
    int others = 0;
    remove(path);
    DIR *all = opendir(folder);
    for (struct dirent *entry; all && (entry = readdir(all));) others += entry->d_name[0] != '.';
    closedir(all);
    CHECK(others == 0);
    CHECK(rmdir(folder) == 0);
}

static size_t read_file(char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(bytes, 1, size, file) : 0;
    if (file) fclose(file);
    return n;
}

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, size, file) == size);
    if (file) fclose(file);
}

/* A file of this header, and so many bytes of elements. */
static void write_header(const char *header, const void *elements, size_t size)
{
    char bytes[4096];
    const uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, (size_t)length);
    memcpy(bytes + 8 + length, elements, size);
    write_file(bytes, 8 + (size_t)length + size);
}

typedef struct pair { /* a graph of two parameters, a of shape (2, 2) and "b" of none */
    cconv_graph *graph;
    cconv_variable *a, *b;
} pair;

static pair pair_of(const char *a_name, float first)
{
    pair p = {cconv_graph_new(), cconv_variable_new(2, (int64_t[]){2, 2}), cconv_variable_new(0, NULL)};
    const float values[] = {first, first + 1, first + 2, first + 3}, b = first + 4;
    cconv_graph_variable(p.graph, a_name, p.a);
    cconv_graph_variable(p.graph, "b", p.b);
    cconv_graph_variable(p.graph, "again", p.a);
    CHECK(cconv_variable_set(p.a, values, 4) == CCONV_OK && cconv_variable_set(p.b, &b, 1) == CCONV_OK);
    return p;
}

static bool pair_is(const pair *p, float first)
{
    float a[4], b;
    CHECK(cconv_variable_get(p->a, a, 4) == CCONV_OK && cconv_variable_get(p->b, &b, 1) == CCONV_OK);
    return a[0] == first && a[1] == first + 1 && a[2] == first + 2 && a[3] == first + 3 && b == first + 4;
}

static void pair_free(pair *p)
{
    cconv_graph_free(p->graph);
    cconv_variable_free(p->a);
    cconv_variable_free(p->b);
}

static void test_parameters_there_and_back(void)
{
    begin();
    pair one = pair_of("a \"quoted\" \x01 \xc3\xa4", 1), other = pair_of("a \"quoted\" \x01 \xc3\xa4", 7);
    CHECK(cconv_save_parameters(one.graph, NULL, path) == CCONV_OK);
    static const char header[] =
        "{\"a \\\"quoted\\\" \\u0001 \xc3\xa4\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]}}";
    char bytes[512];
    const size_t n = read_file(bytes, sizeof bytes);
    uint64_t length;
    memcpy(&length, bytes, 8);
    CHECK(length % 8 == 0 && n == 8 + length + 20 && memcmp(bytes + 8, header, strlen(header)) == 0);
    CHECK(cconv_load_parameters(other.graph, NULL, path) == CCONV_OK && pair_is(&other, 1));
    pair_free(&one);
    pair_free(&other);
    end();
}

static cconv_plan *trainer(network *net, cconv_optimizer *optimizer)
{
    return cconv_plan_new(net->graph, &(cconv_plan_options){.max_batch = SAMPLES,
                                                            .training = 1,
                                                            .root = net->loss,
                                                            .n_wrt = net->n_wrt,
                                                            .wrt = net->wrt,
                                                            .optimizer = optimizer});
}

static void train(cconv_plan *plan, uint64_t step, int steps)
{
    for (int i = 0; i < steps; ++i)
        CHECK(cconv_plan_run(plan, &(cconv_batch){.n = SAMPLES,
                                                  .step = step + (uint64_t)i,
                                                  .inputs = (cconv_array[]){{images, CCONV_FLOAT32, SAMPLES},
                                                                            {labels, CCONV_INT32, SAMPLES}}}) == CCONV_OK);
}

static bool same_variables(const network *a, const network *b)
{
    for (int i = 0; i < a->n_variables; ++i)
        if (memcmp(cconv_variable_data(a->variables[i]), cconv_variable_data(b->variables[i]),
                   cconv_variable_count(a->variables[i]) * sizeof(float)))
            return false;
    return true;
}

/* Training that goes on from a file goes on as if it had never ended; whether the plan is made before or after. */
static void training_goes_on(const char *kind, const char *settings, bool delegates, bool plan_first)
{
    network one, other;
    CHECK(network_build(&one) && network_build(&other));
    cconv_optimizer *optimizers[2][2];
    network *nets[2] = {&one, &other};
    for (int i = 0; i < 2; ++i) {
        optimizers[i][0] = cconv_optimizer_new(kind, settings);
        optimizers[i][1] = cconv_optimizer_new("rmsprop", "momentum=0.5");
        if (delegates) CHECK(cconv_optimizer_delegate(optimizers[i][0], nets[i]->variables[0], optimizers[i][1]) == CCONV_OK);
    }
    cconv_plan *plan = trainer(&one, optimizers[0][0]), *again = plan_first ? trainer(&other, optimizers[1][0]) : NULL;
    train(plan, 0, 3);
    CHECK(cconv_save_parameters(one.graph, optimizers[0][0], path) == CCONV_OK);
    CHECK(cconv_load_parameters(other.graph, optimizers[1][0], path) == CCONV_OK);
    CHECK(cconv_optimizer_iterations(optimizers[1][0]) == 3 && same_variables(&one, &other));
    if (delegates) CHECK(cconv_optimizer_iterations(optimizers[1][1]) == 3);
    if (!again) again = trainer(&other, optimizers[1][0]);
    train(plan, 3, 3);
    train(again, 3, 3);
    CHECK(same_variables(&one, &other));
    cconv_plan_free(plan);
    cconv_plan_free(again);
    for (int i = 0; i < 2; ++i) {
        cconv_optimizer_free(optimizers[i][0]);
        cconv_optimizer_free(optimizers[i][1]);
    }
    network_free(&one);
    network_free(&other);
}

static void test_training_goes_on_from_a_file(void)
{
    begin();
    for (int plan_first = 0; plan_first < 2; ++plan_first) {
        for (int i = 0; i < cconv_optimizer_count(); ++i)
            training_goes_on(cconv_optimizer_name(i), "learning_rate=0.01", false, plan_first);
        training_goes_on("sgd", "learning_rate=0.01 momentum=0.9 ema_momentum=0.9 gradient_accumulation_steps=2", false,
                         plan_first);
        training_goes_on("adam", "learning_rate=0.01", true, plan_first);
    }
    end();
}

static void test_what_does_not_fit_is_named_and_changes_nothing(void)
{
    begin();
    pair p = pair_of("a", 1);
    const float elements[16] = {9, 9, 9, 9, 9, 9};
    write_header("{\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                 "\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[4,20]}}",
                 elements, 20);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    CHECK_ERROR("'b' is missing", "'c' is in the file only", "(4,)", "(2, 2)", "I32");
    CHECK(pair_is(&p, 1));

    cconv_optimizer *adam = cconv_optimizer_new("adam", NULL), *sgd = cconv_optimizer_new("sgd", "momentum=0.5");
    CHECK(cconv_optimizer_slot(adam, p.a, 0) != NULL);
    CHECK(cconv_save_parameters(p.graph, adam, path) == CCONV_OK);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_OK);
    CHECK(cconv_load_parameters(p.graph, sgd, path) == CCONV_INVALID);
    CHECK_ERROR("adam", "sgd", "optimizer/a/");
    CHECK(cconv_optimizer_set(sgd, "momentum=0") == CCONV_OK); /* it still has no slots */
    CHECK(cconv_save_parameters(p.graph, NULL, path) == CCONV_OK);
    CHECK(cconv_load_parameters(p.graph, adam, path) == CCONV_INVALID);
    CHECK_ERROR("no optimizer", "optimizer/a/", "missing");
    cconv_optimizer_free(adam);
    cconv_optimizer_free(sgd);

    cconv_variable *same = cconv_variable_new(0, NULL);
    cconv_graph_variable(p.graph, "b", same);
    CHECK(cconv_save_parameters(p.graph, NULL, path) == CCONV_INVALID);
    CHECK_ERROR("two", "'b'");
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    CHECK_ERROR("two", "'b'");
    cconv_variable_free(same);
    pair_free(&p);
    p = pair_of("\xff", 1);
    CHECK(cconv_save_parameters(p.graph, NULL, path) == CCONV_INVALID);
    CHECK_ERROR("UTF-8");
    pair_free(&p);

    /* More problems than a sentence has room for. */
    cconv_graph *many = cconv_graph_new();
    cconv_variable *each[100];
    for (int i = 0; i < 100; ++i) cconv_graph_variable(many, NULL, each[i] = cconv_variable_new(0, NULL));
    CHECK(cconv_load_parameters(many, NULL, path) == CCONV_INVALID);
    CHECK_ERROR("variable_1'", "missing", " more");
    cconv_graph_free(many);
    for (int i = 0; i < 100; ++i) cconv_variable_free(each[i]);
    end();
}

static void test_other_element_types_are_read(void)
{
    begin();
    pair p = pair_of("a", 5);
    const uint16_t half[] = {0x3c00, 0x4000, 0x4200, 0x4400}, bfloat = 0x40a0;
    const double wide[] = {1, 2, 3, 4};
    char elements[64];
    memcpy(elements, half, 8);
    memcpy(elements + 8, &bfloat, 2);
    write_header("{\"a\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
                 "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[8,10]}}",
                 elements, 10);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_OK && pair_is(&p, 1));
    memcpy(elements, &bfloat, 2);
    memcpy(elements + 2, wide, 32);
    CHECK(cconv_variable_set(p.a, (float[]){0, 0, 0, 0}, 4) == CCONV_OK);
    write_header("{ \"a\" : {\"shape\":[2, 2],\"data_offsets\":[2,34], \"dtype\":\"F64\"},\n"
                 "\"\\u0062\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]}}  ",
                 elements, 34);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_OK && pair_is(&p, 1));
    pair_free(&p);
    end();
}

static void test_damaged_headers_are_refused(void)
{
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}"
#define B "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]}"
    static const char *const headers[] = {
        "",
        " {" A "," B "}",
        "{" A "," B "} x",
        "{" A "," B ",}",
        "{" A " " B "}",
        "{" A "," B,
        "{" A "," A "}",
        "[" A "," B "]",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[20,24]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[20,16]}}",
        "{" A ",\"b\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[16,18]}}",
        "{" A ",\"b\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1e0],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20],\"x\":1}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"shape\":[],\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"data_offsets\":[16,20]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16]}}",
        "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,18446744073709551615]}}",
        "{" A "," B ",\"__metadata__\":{\"x\":1}}",
        "{" A "," B ",\"__metadata__\":{},\"__metadata__\":{}}",
        "{" A "," B ",\"c\\u0000\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}",
        "{" A "," B ",\"c\\ud800\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}",
        "{" A "," B ",\"c\xff\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}",
        "{" A "," B ",\"c\n\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}",
        "{" A "," B ",\"c\\x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[20,20]}}",
    };
    begin();
    pair p = pair_of("a", 1);
    const float elements[16] = {9, 9, 9, 9, 9, 9};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; ++i) {
        write_header(headers[i], elements, 20);
        CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
        CHECK_ERROR("safetensors", path);
    }
    write_header("{" A "," B "}", elements, 24); /* more elements than tensors */
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    write_file("1234567", 7);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    write_file("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    CHECK(pair_is(&p, 1));

    /* Every beginning of a file, and every bit of one turned: refused, or (in elements and names) read; never worse. */
    CHECK(cconv_save_parameters(p.graph, NULL, path) == CCONV_OK);
    char bytes[512], changed[512];
    const size_t n = read_file(bytes, sizeof bytes);
    for (size_t i = 0; i < n; ++i) {
        write_file(bytes, i);
        CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_INVALID);
    }
    CHECK(pair_is(&p, 1));
    for (size_t i = 0; i < 8 * n; ++i) {
        memcpy(changed, bytes, n);
        changed[i / 8] = (char)(changed[i / 8] ^ 1 << i % 8);
        write_file(changed, n);
        const cconv_status status = cconv_load_parameters(p.graph, NULL, path);
        CHECK(status == CCONV_INVALID || status == CCONV_OK);
    }
    pair_free(&p);
    end();
}

static void test_what_the_system_refuses(void)
{
    begin();
    pair p = pair_of("a", 1);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_IO);
    CHECK_ERROR(path, "open");
    CHECK(cconv_load_parameters(p.graph, NULL, folder) == CCONV_IO);
    CHECK(cconv_save_parameters(p.graph, NULL, folder) == CCONV_IO);
    char deep[80];
    snprintf(deep, sizeof deep, "%s/none/file", folder);
    CHECK(cconv_save_parameters(p.graph, NULL, deep) == CCONV_IO && cconv_last_status() == CCONV_IO);

    /* A full disk: the old file stays as it was, and nothing else. */
    CHECK(cconv_save_parameters(p.graph, NULL, path) == CCONV_OK);
    struct rlimit before, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = (struct rlimit){.rlim_cur = 100, .rlim_max = before.rlim_max};
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(cconv_variable_set(p.a, (float[]){0, 0, 0, 0}, 4) == CCONV_OK);
    const cconv_status status = cconv_save_parameters(p.graph, NULL, path);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    signal(SIGXFSZ, old);
    CHECK(status == CCONV_IO);
    CHECK_ERROR("write");
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_OK && pair_is(&p, 1));

    /* A link is followed: what it points to is replaced. */
    char link[80];
    snprintf(link, sizeof link, "%s/link", folder);
    CHECK(symlink("parameters", link) == 0);
    CHECK(cconv_variable_set(p.a, (float[]){7, 8, 9, 10}, 4) == CCONV_OK);
    CHECK(cconv_variable_set(p.b, (float[]){11}, 1) == CCONV_OK);
    CHECK(cconv_save_parameters(p.graph, NULL, link) == CCONV_OK);
    CHECK(remove(link) == 0);
    CHECK(cconv_load_parameters(p.graph, NULL, path) == CCONV_OK && pair_is(&p, 7));
    pair_free(&p);
    end();
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

static void test_memory_that_saving_and_loading_cannot_have(void)
{
    begin();
    meter m = {0};
    pair p = pair_of("a", 1);
    cconv_optimizer *adam = cconv_optimizer_new("adam", NULL);
    CHECK(cconv_optimizer_slot(adam, p.a, 0) && cconv_optimizer_slot(adam, p.b, 0));
    cconv_set_allocator(&(cconv_allocator){allocate, release, &m});
    bool good = false;
    for (long k = 1; !good; ++k) {
        m = (meter){.refuse_at = k};
        const cconv_status status = cconv_save_parameters(p.graph, adam, path);
        good = status == CCONV_OK && m.asked < k;
        CHECK(good || status == CCONV_NO_MEMORY);
        CHECK(m.live == 0);
    }
    good = false;
    for (long k = 1; !good; ++k) {
        m = (meter){0};
        pair other = pair_of("a", 7);
        cconv_optimizer *new = cconv_optimizer_new("adam", NULL);
        m.refuse_at = m.asked + k;
        const cconv_status status = cconv_load_parameters(other.graph, new, path);
        good = status == CCONV_OK && m.asked < m.refuse_at;
        CHECK(good || status == CCONV_NO_MEMORY);
        CHECK(pair_is(&other, good ? 1 : 7));
        cconv_optimizer_free(new);
        pair_free(&other);
        CHECK(m.live == 0);
    }
    cconv_set_allocator(NULL);
    cconv_optimizer_free(adam);
    pair_free(&p);
    end();
}

static void test_strings_of_json(void)
{
    char text[] = "\"\\u00e4\\ud83d\\ude00\\n\\/\" \"\xc3\xa4\"";
    const char *first, *second;
    cc_json json = {text, text + strlen(text)};
    CHECK(cc_json_string(&json, &first) && cc_json_string(&json, &second) && cc_json_is_over(&json));
    CHECK(strcmp(first, "\xc3\xa4\xf0\x9f\x98\x80\n/") == 0 && strcmp(second, "\xc3\xa4") == 0);
    CHECK(cc_json_is_text("\xf0\x9f\x98\x80") && !cc_json_is_text("\xed\xa0\x80") && !cc_json_is_text("\xc0\x80"));
}
#endif

const test file_tests[] = {
#if !defined(_WIN32)
    {"parameters_there_and_back", test_parameters_there_and_back},
    {"training_goes_on_from_a_file", test_training_goes_on_from_a_file},
    {"what_does_not_fit_is_named_and_changes_nothing", test_what_does_not_fit_is_named_and_changes_nothing},
    {"other_element_types_of_files_are_read", test_other_element_types_are_read},
    {"damaged_headers_of_files_are_refused", test_damaged_headers_are_refused},
    {"what_the_system_refuses_files", test_what_the_system_refuses},
    {"memory_that_files_cannot_have", test_memory_that_saving_and_loading_cannot_have},
    {"strings_of_json_in_files", test_strings_of_json},
#endif
    {0},
};
