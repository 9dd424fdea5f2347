/* Finds the features of levels.def: by the cpuid instruction of x86, by what Linux says on AArch64. */
#include "kernels/cpu.h"
#include <stdbool.h>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#include <cpuid.h>

enum { EAX, EBX, ECX, EDX };

/* Bits of XCR0, which says what registers survive a task switch: 1, 2 xmm and ymm; 5, 6, 7 the masks and zmm. */
enum { YMM = 0x06, ZMM = 0xe6 };

static bool x86_bit(unsigned leaf, unsigned part, int which, int bit)
{
    unsigned r[4];
    return __get_cpuid_count(leaf, part, &r[EAX], &r[EBX], &r[ECX], &r[EDX]) && (r[which] >> bit & 1) != 0;
}

/* Whether the bit of a register is set after cpuid, and the system saves the registers of `state`. */
static bool x86(unsigned leaf, unsigned part, int which, int bit, unsigned state)
{
    const bool osxsave = x86_bit(1, 0, ECX, 27);
    if (!osxsave || !x86_bit(leaf, part, which, bit)) return false;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & state) == state;
}
#else
#define x86(leaf, part, which, bit, state) false
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static bool arm64(unsigned long capability)
{
    return (getauxval(AT_HWCAP) & capability) != 0;
}
#elif defined(__aarch64__)
enum { HWCAP_ASIMD = 1 };
#define arm64(capability) ((capability) == HWCAP_ASIMD) /* every system counts on it */
#else
#define arm64(capability) false
#endif

unsigned cc_cpu_features(void)
{
    unsigned features = 0;
#define CC_FEATURE(name, detection)                                                                                            \
    if (detection) features |= CC_CPU_##name;
#include "kernels/levels.def"
    return features;
}
