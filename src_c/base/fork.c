/* Whether OpenMP's threads may be missing. They do not exist in a child made by fork(), and the runtime would wait for them
 * forever: such a process computes on one thread, which needs none. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include "base/fork.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__linux__)
#include <link.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>

static atomic_uint forks;

static void after_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

/* Twice does no harm. (pthread_once would tie binaries to the glibc they were built with: 2.34 gave it a new version.) */
static void watch(void)
{
    static atomic_bool watching;
    if (atomic_load(&watching)) return;
    pthread_atfork(NULL, NULL, after_fork);
    atomic_store(&watching, true);
}

#if defined(__linux__)
/* A library that is loaded in the child itself has seen no fork. The kernel has: a process that was forked and has not called
 * exec() since has a flag (PF_FORKNOEXEC). */
static bool is_fork(void)
{
    char text[512];
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file) return false;
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *rest = strrchr(text, ')'); /* the program's name stands in brackets, and may have some itself */
    unsigned flags;
    return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & 0x40u);
}

/* Objects come in the order in which they were loaded: a runtime before this library may have run threads before the fork, one
 * that came with it has not. */
struct order {
    bool runtime, before;
};

static int look(struct dl_phdr_info *object, size_t size, void *context)
{
    (void)size;
    struct order *order = context;
    const char *slash = strrchr(object->dlpi_name, '/'), *name = slash ? slash + 1 : object->dlpi_name;
    if (!strncmp(name, "libgomp", 7) || !strncmp(name, "libomp", 6) || !strncmp(name, "libiomp", 7)) order->runtime = true;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        const uintptr_t start = object->dlpi_addr + part->p_vaddr, here = (uintptr_t)&forks;
        if (part->p_type == PT_LOAD && here >= start && here < start + part->p_memsz) {
            order->before = order->runtime;
            return 1;
        }
    }
    return 0;
}

static bool came_after_openmp(void)
{
    struct order order = {false, false};
    dl_iterate_phdr(look, &order);
    return order.before;
}
#else
static bool is_fork(void)
{
    return false;
}

static bool came_after_openmp(void)
{
    return false;
}
#endif

/* When the library is loaded, not when it is first used: others may have used the same OpenMP runtime before the fork. */
#if defined(__GNUC__)
__attribute__((constructor)) static void watch_from_the_start(void)
{
    watch();
    if (is_fork() && came_after_openmp()) after_fork();
}
#endif

unsigned cc_forks(void)
{
    watch();
    return atomic_load(&forks);
}
#else
unsigned cc_forks(void)
{
    return 0;
}
#endif
