/* What the bodies of all kernels (*.inc.h) use: hints for compilers that have them, and a piece of code for each count up to a size
 * of the vocabulary. */
#ifndef CC_MACROS_H
#define CC_MACROS_H

#if defined(__GNUC__)
#define PREFETCH(p)       __builtin_prefetch(p)
#define PREFETCH_L2(p)    __builtin_prefetch(p, 0, 2)
#define PREFETCH_WRITE(p) __builtin_prefetch(p, 1)
#else
#define PREFETCH(p)       ((void)(p))
#define PREFETCH_L2(p)    ((void)(p))
#define PREFETCH_WRITE(p) ((void)(p))
#endif
/* A variable's value is taken here, and what follows from it not computed before a loop that needs the registers. */
#if defined(__GNUC__)
#define TAKEN_HERE(x) __asm__ volatile("" : "+r"(x))
#else
#define TAKEN_HERE(x) ((void)(x))
#endif
#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE  static __attribute__((noinline))
#else
#define ALWAYS_INLINE static inline
#define NEVER_INLINE  static
#endif
#if defined(__clang__)
#define UNROLL      _Pragma("clang loop unroll(full)")
#define UNROLL_LONG UNROLL
#pragma clang diagnostic ignored "-Wpass-failed" /* it is a hint: where Clang has a reason not to follow it, nothing is wrong */
#elif defined(__GNUC__)
#define UNROLL      _Pragma("GCC unroll 16")
#define UNROLL_LONG _Pragma("GCC unroll 32") /* of up to 32 steps; elsewhere it lengthens what is not unrolled whole */
#else
#define UNROLL
#define UNROLL_LONG
#endif

#define NR (2 * VEC) /* columns of a tile of a product */

enum { LINE = 16 }; /* floats of a cache line */

/* EACH_UP_TO(n, X) is X(1) X(2) .. X(n) for a macro n of 1 .. 16, of which nothing but its number is known. */
#define EACH_UP_TO(n, X)        EACH_UP_TO_NUMBER(n, X)
#define EACH_UP_TO_NUMBER(n, X) EACH_##n(X)
#define EACH_1(X)               X(1)
#define EACH_2(X)               EACH_1(X) X(2)
#define EACH_3(X)               EACH_2(X) X(3)
#define EACH_4(X)               EACH_3(X) X(4)
#define EACH_5(X)               EACH_4(X) X(5)
#define EACH_6(X)               EACH_5(X) X(6)
#define EACH_7(X)               EACH_6(X) X(7)
#define EACH_8(X)               EACH_7(X) X(8)
#define EACH_9(X)               EACH_8(X) X(9)
#define EACH_10(X)              EACH_9(X) X(10)
#define EACH_11(X)              EACH_10(X) X(11)
#define EACH_12(X)              EACH_11(X) X(12)
#define EACH_13(X)              EACH_12(X) X(13)
#define EACH_14(X)              EACH_13(X) X(14)
#define EACH_15(X)              EACH_14(X) X(15)
#define EACH_16(X)              EACH_15(X) X(16)

#endif
