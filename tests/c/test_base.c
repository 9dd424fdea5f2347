/* What everything else stands on: error texts, memory, settings, random numbers, shapes, slices, threads. */
#define _POSIX_C_SOURCE 200809L /* setenv, mkdir */
#include "base/alloc.h"
#include "base/attributes.h"
#include "cconv.h"
#include "harness.h"
#include "base/random.h"
#include "base/status.h"
#include "base/team.h"
#include "base/shape.h"
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#if !defined(_WIN32)
#include <sys/stat.h>
#include <unistd.h>
#endif

typedef struct settings {
    int64_t axis;
    float rate;
    int biased, padding;
    cc_list strides, pads;
    cc_floats ratios;
} settings;

static const cc_attr table[] = {
    {"axis", CC_INT, offsetof(settings, axis), "-1", NULL, "a meaning"},
    {"strides", CC_LIST, offsetof(settings, strides), "1", NULL, "a meaning"},
    {"rate", CC_FLOAT, offsetof(settings, rate), NULL, NULL, "a meaning"},
    {"biased", CC_BOOL, offsetof(settings, biased), "1", NULL, "a meaning"},
    {"padding", CC_ENUM, offsetof(settings, padding), "valid", "valid|same|explicit", "a meaning"},
    {"pads", CC_LIST, offsetof(settings, pads), "", NULL, "a meaning"},
    {"ratios", CC_FLOATS, offsetof(settings, ratios), "0.5,1", NULL, "a meaning"},
    {0},
};

static void test_error_text(void)
{
    CHECK(cc_fail(CCONV_INVALID, "expected %d, received %d", 1, 2) == CCONV_INVALID);
    CHECK(strcmp(cconv_last_error(), "expected 1, received 2") == 0);
    cc_fail_prefix("%s (%s)", "conv1", "conv");
    CHECK(strcmp(cconv_last_error(), "conv1 (conv): expected 1, received 2") == 0);
    cc_fail(CCONV_INVALID, "again: %s", cconv_last_error());
    CHECK(strcmp(cconv_last_error(), "again: conv1 (conv): expected 1, received 2") == 0);

    char text[5000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cc_fail(CCONV_INVALID, "%s", text); /* cut, not overrun */
    CHECK(strlen(cconv_last_error()) >= 500 && strlen(cconv_last_error()) < sizeof text);
    cc_fail_prefix("front");
    CHECK(strncmp(cconv_last_error(), "front: aaa", 10) == 0);
}

static void test_attributes_are_read(void)
{
    settings s;
    CHECK(cc_attributes_read(table, "rate=0.5", &s, 0) == CCONV_OK);
    CHECK(s.axis == -1 && s.strides.n == 1 && s.strides.v[0] == 1 && s.rate == 0.5f && s.biased == 1 && s.padding == 0);
    CHECK(s.pads.n == 0);
    CHECK(cc_attributes_read(table, "  strides=2,3\tpadding=explicit rate=1e-3 pads=1,2,3,-4 biased=false axis=+7 ", &s, 0) ==
          CCONV_OK);
    CHECK(s.axis == 7 && s.strides.n == 2 && s.strides.v[0] == 2 && s.strides.v[1] == 3 && s.rate == 1e-3f && s.biased == 0 &&
          s.padding == 2);
    CHECK(s.pads.n == 4 && s.pads.v[0] == 1 && s.pads.v[3] == -4);
    CHECK(cc_attributes_read(table, "strides=5", &s, 1) == CCONV_OK); /* keep */
    CHECK(s.axis == 7 && s.strides.n == 1 && s.strides.v[0] == 5 && s.rate == 1e-3f && s.padding == 2);
    CHECK(cc_attributes_read(NULL, NULL, NULL, 0) == CCONV_OK);
    CHECK(cc_attributes_read(NULL, " ", NULL, 0) == CCONV_OK);
    CHECK(cc_attributes_read(table, "rate=-inf", &s, 0) == CCONV_OK && isinf(s.rate));
    CHECK(cc_attributes_read(table, "rate=1e-44", &s, 0) == CCONV_OK && s.rate >= 0 && s.rate < 1e-40f);
    CHECK(cc_attributes_read(table, "rate=0.1 axis=9223372036854775807", &s, 0) == CCONV_OK && s.axis == INT64_MAX);
}

static void test_attributes_refuse(void)
{
    static const struct {
        const char *text, *word1, *word2;
    } wrong[] = {
        {"rate=0.5 stride=2", "stride", "axis, strides, rate, biased, padding, pads, ratios"},
        {"", "rate", "must be given"},
        {"rate=nan", "expected rate to be a number", "nan"},
        {"rate=1e99", "a number", "1e99"},
        {"rate=", "a number", "\"\""},
        {"rate=0,5", "a number", "0,5"},
        {"rate=0.5x", "a number", "0.5x"},
        {"rate=1 axis=1.5", "a whole number", "1.5"},
        {"rate=1 axis=99999999999999999999", "a whole number", "99999999999999999999"},
        {"rate=1 strides=2,", "whole numbers", "2,"},
        {"rate=1 padding=full", "one of valid, same, explicit", "full"},
        {"rate=1 padding=val", "one of valid, same, explicit", "val"},
        {"rate=1 padding=", "one of valid, same, explicit", "\"\""},
        {"rate=1 biased=2", "0 or 1", "2"},
        {"rate=1 pads=1,,2", "whole numbers", "1,,2"},
        {"rate=1 pads=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", "up to 16", "0,0"},
        {"rate=1 ratios=1,x", "up to 16 numbers", "1,x"},
        {"rate=1 ratios=1,", "up to 16 numbers", "1,"},
        {"rate=1 ratios=nan", "up to 16 numbers", "nan"},
        {"rate=1 ratios=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", "up to 16 numbers", "0,0"},
        {"rate=1 rate=2", "rate", "twice"},
        {"rate", "name=value", "rate"},
        {"=1", "unknown attribute", ""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        settings s, before;
        memset(&s, 0x55, sizeof s);
        before = s;
        CHECK(cc_attributes_read(table, wrong[i].text, &s, 0) == CCONV_INVALID);
        CHECK_ERROR(wrong[i].word1, wrong[i].word2);
        CHECK(memcmp(&s, &before, sizeof s) == 0); /* nothing stored */
    }
    CHECK(cc_attributes_read(NULL, "axis=1", NULL, 0) == CCONV_INVALID);
    CHECK_ERROR("no attributes", "axis");
}

/* What is written is read as the same bytes, and written again as the same text. */
static void check_round_trip(const char *text, const char *expected)
{
    settings s, again;
    memset(&s, 0, sizeof s);
    memset(&again, 0, sizeof again);
    char wrote[512] = "", twice[512] = "";
    cc_writer w = {wrote, sizeof wrote, 0}, v = {twice, sizeof twice, 0};
    CHECK(cc_attributes_read(table, text, &s, 0) == CCONV_OK);
    cc_attributes_write(table, &s, &w);
    CHECK(cc_attributes_read(table, wrote, &again, 0) == CCONV_OK);
    cc_attributes_write(table, &again, &v);
    CHECK(memcmp(&s, &again, sizeof s) == 0 && strcmp(wrote, twice) == 0 && w.length == strlen(wrote));
    if (expected) CHECK(strcmp(wrote, expected) == 0);
}

static void test_attributes_are_written(void)
{
    check_round_trip("rate=0.1", "rate=0.1");
    check_round_trip("rate=-0 axis=-1 strides=1 ratios=0.5,1.0", "rate=-0"); /* what is as by default is left out */
    check_round_trip("rate=inf axis=-9223372036854775808 biased=0 padding=same strides=2,3 pads=-1",
                     "axis=-9223372036854775808 strides=2,3 rate=inf biased=0 padding=same pads=-1");
    check_round_trip("rate=1 strides= ratios=", "strides= rate=1 ratios=");
    check_round_trip("rate=1e-45 ratios=0.1,3.4028235e38,-inf,16777217,0.3333333433", NULL);
    unsigned bits = 1;
    for (int i = 0; i < 20000; ++i) {
        float value;
        char text[64];
        bits = bits * 1664525u + 1013904223u;
        memcpy(&value, &bits, sizeof value);
        if (isnan(value)) continue;
        snprintf(text, sizeof text, "rate=%.9g", (double)value);
        check_round_trip(text, NULL);
    }
    char small[8];
    cc_writer w = {small, sizeof small, 0};
    settings s = {0};
    CHECK(cc_attributes_read(table, "rate=0.25 axis=12345", &s, 0) == CCONV_OK);
    cc_attributes_write(table, &s, &w);
    CHECK(strcmp(small, "axis=12") == 0 && w.length == strlen("axis=12345 rate=0.25"));
}

static void test_attributes_ignore_the_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"};
    settings s;
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (setlocale(LC_NUMERIC, names[i])) break; /* where none is installed this tests the usual one */
    CHECK(cc_attributes_read(table, "rate=0.25", &s, 0) == CCONV_OK && s.rate == 0.25f);
    check_round_trip("rate=0.1 ratios=0.25,1e-7", "rate=0.1 ratios=0.25,1e-07");
    setlocale(LC_NUMERIC, "C");
}

static void test_attributes_are_described(void)
{
    cconv_attribute a;
    CHECK(cc_attributes_describe(table, 4, &a) == CCONV_OK);
    CHECK(!strcmp(a.name, "padding") && !strcmp(a.type, "enum") && !strcmp(a.default_value, "valid"));
    CHECK(!strcmp(a.choices, "valid|same|explicit") && !strcmp(a.meaning, "a meaning"));
    CHECK(cc_attributes_describe(table, 2, &a) == CCONV_OK && a.default_value == NULL);
    CHECK(cc_attributes_describe(table, 7, &a) == CCONV_INVALID);
    CHECK(cc_attributes_describe(table, -1, &a) == CCONV_INVALID);
    CHECK(cc_attributes_describe(NULL, 0, &a) == CCONV_INVALID);
    char name[32];
    cc_choice_name("valid|same|explicit", 0, name);
    CHECK(!strcmp(name, "valid"));
    cc_choice_name("valid|same|explicit", 2, name);
    CHECK(!strcmp(name, "explicit"));
    cc_choice_name("valid|same|explicit", 3, name);
    CHECK(!strcmp(name, ""));
}

/* The known answers published with the generator (Random123, kat_vectors, "philox4x32 10"). */
static void test_random_numbers_are_philox(void)
{
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
        const uint32_t *c = known[i].counter, *k = known[i].key;
        const cc_random at = {.seed = k[0] | (uint64_t)k[1] << 32, .step = c[2] | (uint64_t)c[3] << 32, .draw = c[1]};
        uint32_t out[4];
        cc_random_block(&at, c[0], out);
        CHECK(memcmp(out, known[i].answer, sizeof out) == 0);
    }
}

static void test_slices_cover_everything_once(void)
{
    for (int nth = 1; nth <= 9; ++nth)
        for (int64_t n = 0; n <= 40; ++n)
            for (int64_t grain = 0; grain <= 7; ++grain) {
                int64_t next = 0;
                for (int ith = 0; ith < nth; ++ith) {
                    cc_range r = cc_slice(&(cc_team){.ith = ith, .nth = nth}, n, grain);
                    if (r.begin >= r.end) continue;
                    CHECK(r.begin == next && r.end <= n && (grain < 2 || r.begin % grain == 0));
                    next = r.end;
                }
                CHECK(next == n);
            }
}

static void test_shapes(void)
{
    char text[CC_SHAPE_TEXT];
    CHECK(!strcmp(cc_shape_text(&(cc_shape){.rank = 4, .dim = {-1, 28, 28, 1}}, text), "(None, 28, 28, 1)"));
    CHECK(!strcmp(cc_shape_text(&(cc_shape){.rank = 1, .dim = {10}}, text), "(10,)"));
    CHECK(!strcmp(cc_shape_text(&(cc_shape){.rank = 0, .dim = {0}}, text), "()"));
    cc_shape big = {.rank = 8, .dim = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    CHECK(strlen(cc_shape_text(&big, text)) == 8 * 19 + 7 * 2 + 2);
    CHECK(!cc_shape_check(&big));
    CHECK(cc_shape_check(&(cc_shape){.rank = 0, .dim = {0}}));
    CHECK(cc_shape_check(&(cc_shape){.rank = 2, .dim = {-1, 5}}));
    CHECK(cc_shape_check(&(cc_shape){.rank = 2, .dim = {0, 5}}));
    CHECK(cc_shape_check(&(cc_shape){.rank = 1, .dim = {PTRDIFF_MAX / 8}}));
    CHECK(!cc_shape_check(&(cc_shape){.rank = 2, .dim = {(int64_t)1 << 59, 4}}));
    CHECK(!cc_shape_check(&(cc_shape){.rank = 3, .dim = {0, (int64_t)1 << 40, (int64_t)1 << 40}}));
    CHECK(!cc_shape_check(&(cc_shape){.rank = 2, .dim = {-2, 5}}));
    CHECK(!cc_shape_check(&(cc_shape){.rank = 9, .dim = {1}}));
    CHECK(!cc_shape_check(&(cc_shape){.rank = -1, .dim = {1}}));
}

static void test_memory_is_aligned_and_counted(void)
{
    uint64_t before = cconv_allocations();
    for (size_t bytes = 0; bytes < 300; bytes += 7) {
        unsigned char *p = cc_alloc_zero(bytes);
        CHECK(p && (uintptr_t)p % CC_ALIGN == 0);
        for (size_t i = 0; i < bytes; ++i) CHECK(p[i] == 0);
        memset(p, 0xff, bytes);
        cc_free(p);
    }
    CHECK(cconv_allocations() - before == 43);
    for (int again = 0; again < 3; ++again) { /* large ones, some of them where another one was */
        const size_t bytes = 5000001;
        unsigned char *p = cc_alloc_zero(bytes), *q = cc_alloc(bytes);
        CHECK(p && q && (uintptr_t)p % CC_ALIGN == 0 && (uintptr_t)q % CC_ALIGN == 0);
        CHECK(p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
        memset(p, 0xff, bytes);
        memset(q, 0xff, bytes);
        cc_free(p);
        cc_free(q);
    }
    cc_free(NULL);
    CHECK(cc_alloc(SIZE_MAX) == NULL);
    CHECK_ERROR("out of memory");
    CHECK(cc_alloc(SIZE_MAX - 64) == NULL);
    CHECK(cc_alloc((uint64_t)1 << 62) == NULL);
}

#if !defined(_WIN32)
static void write_file(const char *folder, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    if (!f) return;
    fputs(text, f);
    fclose(f);
}

static void make_folder(char *path, size_t size, const char *parent, const char *name)
{
    snprintf(path, size, "%s/%s", parent, name);
    CHECK(mkdir(path, 0700) == 0);
}

static void test_cgroup_quotas(void)
{
    char root[100], list[200], unified[200], group[200], inner[300], v1[200], v1group[300], name[60];
    const char *temporary = getenv("TMPDIR");
    snprintf(name, sizeof name, "cconv-cgroup-%ld", (long)getpid());
    make_folder(root, sizeof root, temporary && strlen(temporary) < 60 ? temporary : "/tmp", name);
    snprintf(list, sizeof list, "%s/list", root);

    CHECK(cc_cgroup_limit("/nowhere/at/all", root) == INT_MAX);
    write_file(root, "list", "0::/group/inner\n");
    CHECK(cc_cgroup_limit(list, root) == INT_MAX);
    write_file(root, "cpu.max", "max 100000\n"); /* version 2, seen from inside a container */
    CHECK(cc_cgroup_limit(list, root) == INT_MAX);
    write_file(root, "cpu.max", "250000 100000\n");
    CHECK(cc_cgroup_limit(list, root) == 2);
    write_file(root, "cpu.max", "50000 100000\n");
    CHECK(cc_cgroup_limit(list, root) == 1);
    write_file(root, "cpu.max", "nonsense\n");
    CHECK(cc_cgroup_limit(list, root) == INT_MAX);

    make_folder(group, sizeof group, root, "group");
    make_folder(inner, sizeof inner, group, "inner");
    write_file(root, "cpu.max", "max 100000\n");
    write_file(inner, "cpu.max", "800000 100000\n");
    CHECK(cc_cgroup_limit(list, root) == 8);
    write_file(group, "cpu.max", "300000 100000\n"); /* the folder above binds */
    CHECK(cc_cgroup_limit(list, root) == 3);

    write_file(root, "list", "5:memory:/x\n4:cpuset,cpu,cpuacct:/job\n1:name=systemd:/x\n"); /* version 1 */
    make_folder(v1, sizeof v1, root, "cpu");
    make_folder(v1group, sizeof v1group, v1, "job");
    write_file(v1, "cpu.cfs_quota_us", "-1\n");
    write_file(v1, "cpu.cfs_period_us", "100000\n");
    CHECK(cc_cgroup_limit(list, root) == INT_MAX);
    write_file(v1group, "cpu.cfs_quota_us", "400000\n");
    write_file(v1group, "cpu.cfs_period_us", "100000\n");
    CHECK(cc_cgroup_limit(list, root) == 4);
    write_file(root, "list", "4:cpuset:/job\nno colon\n9:\n");
    CHECK(cc_cgroup_limit(list, root) == INT_MAX);

    make_folder(unified, sizeof unified, root, "unified");
    const char *const files[][2] = {{root, "list"},
                                    {root, "cpu.max"},
                                    {inner, "cpu.max"},
                                    {group, "cpu.max"},
                                    {v1, "cpu.cfs_quota_us"},
                                    {v1, "cpu.cfs_period_us"},
                                    {v1group, "cpu.cfs_quota_us"},
                                    {v1group, "cpu.cfs_period_us"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", files[i][0], files[i][1]);
        unlink(path);
    }
    const char *const folders[] = {inner, group, v1group, v1, unified, root};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) rmdir(folders[i]);
}
#endif

static void test_number_of_threads(void)
{
    int by_default = cconv_num_threads();
    CHECK(by_default >= 1);
    CHECK(cconv_set_num_threads(-1) == CCONV_INVALID);
    CHECK_ERROR("threads", "-1");
    CHECK(cconv_set_num_threads(1000000) == CCONV_INVALID);
    CHECK(cconv_set_num_threads(3) == CCONV_OK);
    if (cconv_openmp()) {
        CHECK(cconv_num_threads() == 3 && !strcmp(cconv_num_threads_reason(), "cconv_set_num_threads"));
    } else {
        CHECK(cconv_num_threads() == 1 && !strcmp(cconv_num_threads_reason(), "no OpenMP"));
    }
    CHECK(cconv_set_num_threads(0) == CCONV_OK);
    CHECK(cconv_num_threads() == by_default);
#if !defined(_WIN32)
    if (cconv_openmp()) {
        const char *old = getenv("OMP_NUM_THREADS");
        char *kept = old ? strdup(old) : NULL;
        setenv("OMP_NUM_THREADS", "5,2", 1);
        cconv_set_num_threads(0);
        CHECK(cconv_num_threads() == 5 && !strcmp(cconv_num_threads_reason(), "OMP_NUM_THREADS"));
        setenv("OMP_NUM_THREADS", "many", 1); /* not a number: as if it were not there */
        cconv_set_num_threads(0);
        CHECK(strcmp(cconv_num_threads_reason(), "OMP_NUM_THREADS") != 0);
        setenv("OMP_NUM_THREADS", "0", 1);
        cconv_set_num_threads(0);
        CHECK(cconv_num_threads() >= 1 && strcmp(cconv_num_threads_reason(), "OMP_NUM_THREADS") != 0);
        if (kept) {
            setenv("OMP_NUM_THREADS", kept, 1);
        } else {
            unsetenv("OMP_NUM_THREADS");
        }
        free(kept);
        cconv_set_num_threads(0);
        CHECK(cconv_num_threads() == by_default);
    }
#endif
}

static void test_subnormals_are_flushed_and_restored(void)
{
    volatile float small = 1e-38f, tenth = 0.1f, product;
    product = small * tenth;
    float usual = product;
    unsigned mode = cc_subnormals_flush();
    product = small * tenth;
#if defined(__SSE2__) || defined(__aarch64__)
    CHECK(product == 0.0f);
#endif
    cc_subnormals_restore(mode);
    product = small * tenth;
    CHECK(product == usual && usual > 0.0f);
}

static void test_the_version_is_the_header_s(void)
{
    CHECK(!strcmp(cconv_version(), CCONV_VERSION));
    CHECK(strstr(cconv_isas(), "portable") != NULL && strstr(cconv_isas(), cconv_isa()) != NULL);
}

const test base_tests[] = {
    {"error_text", test_error_text},
    {"attributes_are_read", test_attributes_are_read},
    {"attributes_refuse", test_attributes_refuse},
    {"attributes_are_written", test_attributes_are_written},
    {"attributes_ignore_the_locale", test_attributes_ignore_the_locale},
    {"attributes_are_described", test_attributes_are_described},
    {"random_numbers_are_philox", test_random_numbers_are_philox},
    {"slices_cover_everything_once", test_slices_cover_everything_once},
    {"shapes", test_shapes},
    {"memory_is_aligned_and_counted", test_memory_is_aligned_and_counted},
#if !defined(_WIN32)
    {"cgroup_quotas", test_cgroup_quotas},
#endif
    {"number_of_threads", test_number_of_threads},
    {"subnormals_are_flushed_and_restored", test_subnormals_are_flushed_and_restored},
    {"the_version_is_the_header_s", test_the_version_is_the_header_s},
    {0},
};
