/* The table of element types: see type.h. A new type that comes in and goes out is a row here and a name in cconv.h. */
#include "base/type.h"
#include <string.h>

/* ---- Formats of 16 bits ------------------------------------------------------------------------------------------- */

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static float half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 1023u;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float small = (float)fraction * 0x1p-24f;
    return sign ? -small : small;
}

/* bits >> shift, to the nearest, halves to the even one. */
static uint32_t round_bits(uint32_t bits, int shift)
{
    const uint32_t rest = bits & ((1u << shift) - 1), half = 1u << (shift - 1), kept = bits >> shift;
    return kept + (rest > half || (rest == half && (kept & 1u)));
}

static uint16_t float_to_half(float x)
{
    const uint32_t bits = bits_of(x), size = bits & 0x7fffffffu;
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    if (size > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (size >> 13 & 0x1ffu));
    if (size >= 0x47800000u) return (uint16_t)(sign | 0x7c00u); /* 2^16 and more */
    if (size >= 0x38800000u)
        return (uint16_t)(sign | round_bits(size - 0x38000000u, 13)); /* normal: from 2^-14. A carry is right, too */
    const int shift = 126 - (int)(size >> 23);
    return (uint16_t)(sign | (shift > 24 ? 0 : round_bits((size & 0x7fffffu) | 0x800000u, shift)));
}

/* The upper half of a float32. */
static float bfloat_to_float(uint16_t bits)
{
    return from_bits((uint32_t)bits << 16);
}

static uint16_t float_to_bfloat(float x)
{
    const uint32_t bits = bits_of(x);
    if (x != x) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)round_bits(bits, 16);
}

/* ---- A row's functions -------------------------------------------------------------------------------------------- */

#define CONVERT(name, to_type, from_type, formula)                                                                             \
    static void name(to_type *to, const from_type *from, int64_t first, int64_t n)                                             \
    {                                                                                                                          \
        for (int64_t i = 0; i < n; ++i) formula;                                                                               \
    }
#define TO(tag, c_type, inside, inside_type, formula)                                                                          \
    CONVERT(tag##_to_##inside, inside_type, void, {                                                                            \
        const c_type x = ((const c_type *)from)[first + i];                                                                    \
        to[i] = formula;                                                                                                       \
    })
#define FROM(tag, c_type, inside, inside_type, formula)                                                                        \
    CONVERT(tag##_from_##inside, void, inside_type, {                                                                          \
        const inside_type x = from[i];                                                                                         \
        ((c_type *)to)[first + i] = formula;                                                                                   \
    })

#define INTEGER(tag, c_type)                                                                                                   \
    TO(tag, c_type, float, float, (float)x)                                                                                    \
    TO(tag, c_type, int, int32_t, (int32_t)x)                                                                                  \
    FROM(tag, c_type, float, float, (c_type)x)

static void float32_to_float(float *to, const void *from, int64_t first, int64_t n)
{
    memcpy(to, (const float *)from + first, (size_t)n * sizeof *to);
}

static void float32_from_float(void *to, const float *from, int64_t first, int64_t n)
{
    memcpy((float *)to + first, from, (size_t)n * sizeof *from);
}

TO(float64, double, float, float, (float)x)
FROM(float64, double, float, float, (double)x)
FROM(float64, double, int, int32_t, (double)x)
TO(float16, uint16_t, float, float, half_to_float(x))
FROM(float16, uint16_t, float, float, float_to_half(x))
TO(bfloat16, uint16_t, float, float, bfloat_to_float(x))
FROM(bfloat16, uint16_t, float, float, float_to_bfloat(x))
INTEGER(uint8, uint8_t)
INTEGER(int8, int8_t)
INTEGER(int32, int32_t)
FROM(int32, int32_t, int, int32_t, x)
INTEGER(int64, int64_t)
FROM(int64, int64_t, int, int32_t, x)
TO(bool, uint8_t, float, float, x ? 1.0f : 0.0f)
TO(bool, uint8_t, int, int32_t, x ? 1 : 0)
FROM(bool, uint8_t, float, float, x != 0)

/* name, bytes, value, stored, to_float, to_int, from_float (of an integer type: used for bools only), from_int */
static const cc_type types[] = {
    [CCONV_FLOAT32] = {"float32", 4, CCONV_FLOAT32, CCONV_FLOAT32, float32_to_float, NULL, float32_from_float, NULL},
    [CCONV_FLOAT64] = {"float64", 8, CCONV_FLOAT32, CCONV_FLOAT32, float64_to_float, NULL, float64_from_float,
                       float64_from_int},
    [CCONV_FLOAT16] = {"float16", 2, CCONV_FLOAT32, CCONV_FLOAT32, float16_to_float, NULL, float16_from_float, NULL},
    [CCONV_BFLOAT16] = {"bfloat16", 2, CCONV_FLOAT32, CCONV_FLOAT32, bfloat16_to_float, NULL, bfloat16_from_float, NULL},
    [CCONV_UINT8] = {"uint8", 1, CCONV_INT32, CCONV_INT32, uint8_to_float, uint8_to_int, uint8_from_float, NULL},
    [CCONV_INT8] = {"int8", 1, CCONV_INT32, CCONV_INT32, int8_to_float, int8_to_int, int8_from_float, NULL},
    [CCONV_INT32] = {"int32", 4, CCONV_INT32, CCONV_INT32, int32_to_float, int32_to_int, int32_from_float, int32_from_int},
    [CCONV_INT64] = {"int64", 8, CCONV_INT32, CCONV_INT32, int64_to_float, int64_to_int, int64_from_float, int64_from_int},
    [CCONV_BOOL] = {"bool", 1, CCONV_BOOL, CCONV_FLOAT32, bool_to_float, bool_to_int, bool_from_float, NULL},
};

enum { TYPES = (int)(sizeof types / sizeof *types) };

const cc_type *cc_type_of(cconv_dtype dtype)
{
    return (int)dtype >= 0 && (int)dtype < TYPES ? &types[dtype] : NULL;
}

const char *cconv_dtype_name(cconv_dtype dtype)
{
    return cc_type_of(dtype) ? types[dtype].name : NULL;
}

size_t cconv_dtype_bytes(cconv_dtype dtype)
{
    return cc_type_of(dtype) ? types[dtype].bytes : 0;
}

/* ---- Values and arrays -------------------------------------------------------------------------------------------- */

bool cc_type_reads(cconv_dtype value, cconv_dtype from)
{
    if (value == CCONV_BOOL) return from == CCONV_BOOL;
    return value == CCONV_FLOAT32 ? types[from].to_float != NULL : types[from].to_int != NULL;
}

bool cc_type_writes(cconv_dtype value, cconv_dtype to)
{
    if (value == CCONV_INT32) return types[to].from_int != NULL;
    return types[to].from_float && (value == CCONV_BOOL || types[to].value == CCONV_FLOAT32);
}

void cc_type_read(cconv_dtype value, void *to, cconv_dtype dtype, const void *from, int64_t first, int64_t n)
{
    if (types[value].stored == CCONV_INT32)
        types[dtype].to_int(to, from, first, n);
    else
        types[dtype].to_float(to, from, first, n);
}

void cc_type_write(cconv_dtype value, const void *from, cconv_dtype dtype, void *to, int64_t first, int64_t n)
{
    if (types[value].stored == CCONV_INT32)
        types[dtype].from_int(to, (const int32_t *)from + first, first, n);
    else
        types[dtype].from_float(to, (const float *)from + first, first, n);
}

bool cc_type_misfit(cconv_dtype dtype, const void *from, int64_t first, int64_t n, int64_t *number)
{
    const int64_t *x = from;
    for (int64_t i = first; dtype == CCONV_INT64 && i < first + n; ++i) {
        if (x[i] >= INT32_MIN && x[i] <= INT32_MAX) continue;
        *number = x[i];
        return true;
    }
    return false;
}
