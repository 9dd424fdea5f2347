/* What the library knows of itself and of the machine: its version, OpenMP, how many threads to use and why, and the mode in
 * which the processor handles subnormal numbers. Vector instructions are kernels/dispatch.c's affair. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "base/clock.h"
#include "base/fork.h"
#include "base/log.h"
#include "base/status.h"
#include "base/team.h"
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#else
#include <unistd.h>
#endif
#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

enum { PATH = 512 };

const char *cconv_version(void)
{
    return CCONV_VERSION;
}

int cconv_abi(void)
{
    return CCONV_ABI;
}

int cconv_openmp(void)
{
#ifdef CC_OPENMP
    return CC_OPENMP;
#else
    return 0;
#endif
}

/* ---- The default number of threads -------------------------------------------------------------------------------- */

/* Processors this process may run on. */
static int affinity(void)
{
#if defined(__linux__)
    cpu_set_t sets[16]; /* 16,384 processors: the kernel refuses a mask smaller than its own */
    if (sched_getaffinity(0, sizeof sets, sets) == 0) return CPU_COUNT_S(sizeof sets, sets);
#endif
#if defined(_WIN32)
    return (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
#else
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
}

/* The first line of folder/path/name; "" if there is none. */
static void read_line(const char *folder, const char *path, const char *name, char line[PATH])
{
    char file[3 * PATH];
    line[0] = 0;
    snprintf(file, sizeof file, "%s%s/%s", folder, path, name);
    FILE *stream = fopen(file, "r");
    if (!stream) return;
    if (!fgets(line, PATH, stream)) line[0] = 0;
    fclose(stream);
}

/* Processors granted to one cgroup folder, INT_MAX without a limit. Version 2 has "quota period" or "max period" in cpu.max;
 * version 1 has two files, and a quota of -1 for none. */
static int folder_limit(const char *folder, const char *path)
{
    char line[PATH];
    long long quota = -1, period = 0;
    read_line(folder, path, "cpu.max", line);
    if (line[0]) {
        if (sscanf(line, "%lld %lld", &quota, &period) != 2) return INT_MAX;
    } else {
        read_line(folder, path, "cpu.cfs_quota_us", line);
        if (sscanf(line, "%lld", &quota) != 1) return INT_MAX;
        read_line(folder, path, "cpu.cfs_period_us", line);
        if (sscanf(line, "%lld", &period) != 1) return INT_MAX;
    }
    if (quota <= 0 || period <= 0 || quota / period >= INT_MAX) return INT_MAX;
    return quota < period ? 1 : (int)(quota / period);
}

int cc_cgroup_limit(const char *cgroups, const char *mount)
{
    int limit = INT_MAX;
    char line[PATH];
    FILE *stream = fopen(cgroups, "r");
    if (!stream) return limit;
    while (fgets(line, sizeof line, stream)) { /* "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2 */
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *controllers++ = 0;
        *path++ = 0;
        bool unified = controllers[0] == 0;
        if (!unified && strcmp(controllers, "cpu") != 0 && strncmp(controllers, "cpu,", 4) != 0 &&
            !strstr(controllers, ",cpu,")) {
            size_t length = strlen(controllers);
            if (length < 4 || strcmp(controllers + length - 4, ",cpu") != 0) continue;
        }
        /* A limit of any folder above holds too. In a container the path may be the host's, while the mount is the container's
         * own: then only the last step, the mount itself, exists. */
        const char *folders[] = {"", unified ? "/unified" : "/cpu", unified ? NULL : "/cpu,cpuacct"};
        for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) {
            if (!folders[i]) continue;
            char folder[PATH], below[PATH];
            snprintf(folder, sizeof folder, "%s%s", mount, folders[i]);
            snprintf(below, sizeof below, "%s", path);
            for (;;) {
                int here = folder_limit(folder, below);
                if (here < limit) limit = here;
                char *slash = strrchr(below, '/');
                if (!slash) break;
                *slash = 0;
            }
        }
    }
    fclose(stream);
    return limit;
}

/* Read once: it takes a hundred times as long as asking for the affinity, and seldom changes. */
static int cpu_quota(void)
{
    static atomic_int known;
    int value = atomic_load_explicit(&known, memory_order_relaxed);
#if defined(__linux__)
    if (!value) atomic_store(&known, value = cc_cgroup_limit("/proc/self/cgroup", "/sys/fs/cgroup"));
#endif
    return value ? value : INT_MAX;
}

/* Those that the thread which calls may use now; a call to the system. */
static int processors_here(void)
{
    const int threads = affinity(), limit = cpu_quota(), least = threads < limit ? threads : limit;
    return least < 1 ? 1 : least > CC_MAX_THREADS ? CC_MAX_THREADS : least;
}

/* Processors as of the last time somebody asked, and as of the first; 0: nobody has. */
static atomic_int processors, processors_at_first;

/* Asks again if that was some time ago: a look at the clock takes a tenth of it. */
static void ask_again(void)
{
    static atomic_llong asked; /* in hundredths of a second, from 1 */
    const long long now = (long long)(cc_seconds() * 100) + 1;
    if (atomic_load_explicit(&asked, memory_order_relaxed) == now) return;
    atomic_store_explicit(&asked, now, memory_order_relaxed);
    const int found = processors_here();
    atomic_store_explicit(&processors, found, memory_order_relaxed);
    if (!atomic_load_explicit(&processors_at_first, memory_order_relaxed)) atomic_store(&processors_at_first, found);
}

int cc_processors(void)
{
    const int known = atomic_load_explicit(&processors, memory_order_relaxed);
    return known ? known : processors_here();
}

enum { BY_AFFINITY, BY_QUOTA, BY_ENVIRONMENT, BY_CALL, BY_FORK, BY_BUILD };

static const char *const reasons[] = {"affinity", "cgroup quota", "OMP_NUM_THREADS", "cconv_set_num_threads",
                                      "fork",     "no OpenMP"};

/* The decision, threads * 8 + reason, in one word so that readers need no lock; 0 until it is made. */
static atomic_int decision;

static int decide(void)
{
    const char *wish = getenv("OMP_NUM_THREADS"); /* may list a number per nesting level, "4,2": the first counts */
    if (wish) {
        char *end;
        long threads = strtol(wish, &end, 10);
        if (end != wish && threads >= 1) return (int)(threads < CC_MAX_THREADS ? threads : CC_MAX_THREADS) * 8 + BY_ENVIRONMENT;
    }
    return cc_processors() * 8 + (cpu_quota() < affinity() ? BY_QUOTA : BY_AFFINITY);
}

static int decided(void)
{
    if (cc_forked()) return 8 + BY_FORK;
    if (!cconv_openmp()) return 8 + BY_BUILD;
    ask_again();
    int value = atomic_load(&decision);
    if (!value) atomic_store(&decision, value = decide());
    /* Processors taken from the process since: whoever asked for more threads did not ask for two on one. */
    const int now = cc_processors();
    if (now >= atomic_load(&processors_at_first) || now >= value / 8) return value;
    CC_LOG_ONCE(CCONV_LOG_WARNING, "of the %d processors this process had, %d are left: runs use no more threads",
                atomic_load(&processors_at_first), now);
    return now * 8 + BY_AFFINITY;
}

/* A wish in the environment that decide() passed over, or took for less. */
static void tell_refused_wish(void)
{
    const char *wish = getenv("OMP_NUM_THREADS");
    char *end;
    const long threads = wish ? strtol(wish, &end, 10) : 0;
    if (!wish || !cconv_openmp()) return;
    if (end == wish || threads < 1)
        CC_LOG_ONCE(CCONV_LOG_WARNING, "OMP_NUM_THREADS: expected a number of threads, received \"%.40s\": plans use %d (%s)",
                    wish, cconv_num_threads(), cconv_num_threads_reason());
    else if (threads > CC_MAX_THREADS)
        CC_LOG_ONCE(CCONV_LOG_WARNING, "OMP_NUM_THREADS: plans use at most %d threads, received \"%.40s\"", CC_MAX_THREADS,
                    wish);
}

void cc_tell_threads(void)
{
    tell_refused_wish();
    if (cc_forked())
        CC_LOG_ONCE(CCONV_LOG_WARNING,
                    "this process was forked from one that had loaded the library or an OpenMP runtime: runs use "
                    "one thread");
    else if (!cconv_openmp())
        CC_LOG_ONCE(CCONV_LOG_INFO, "the library was built without OpenMP: runs use one thread");
}

int cc_team_size(void)
{
    return decided() / 8;
}

int cconv_num_threads(void)
{
    return decided() / 8;
}

const char *cconv_num_threads_reason(void)
{
    return reasons[decided() % 8];
}

cconv_status cconv_set_num_threads(int threads)
{
    if (threads < 0 || threads > CC_MAX_THREADS)
        return cc_fail(CCONV_INVALID, "expected threads from 0 (the default) to %d, received %d", CC_MAX_THREADS, threads);
    atomic_store(&decision, threads ? threads * 8 + BY_CALL : 0);
    return CCONV_OK;
}

/* ---- Subnormal numbers -------------------------------------------------------------------------------------------- */

#if defined(__SSE2__) || defined(_M_X64)
unsigned cc_subnormals_flush(void)
{
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040); /* results to zero (bit 15), operands as zero (bit 6) */
    return mode;
}

void cc_subnormals_restore(unsigned mode)
{
    _mm_setcsr(mode);
}
#elif defined(__aarch64__) && defined(__GNUC__)
unsigned cc_subnormals_flush(void)
{
    uint64_t mode;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
    __asm__ __volatile__("msr fpcr, %0" : : "r"(mode | (uint64_t)1 << 24)); /* FZ */
    return (unsigned)mode;
}

void cc_subnormals_restore(unsigned mode)
{
    __asm__ __volatile__("msr fpcr, %0" : : "r"((uint64_t)mode));
}
#else
unsigned cc_subnormals_flush(void)
{
    return 0;
}

void cc_subnormals_restore(unsigned mode)
{
    (void)mode;
}
#endif
