/* Few rows by a matrix where it stands: see gemm_kernels.h. Several rows of b at a time, column by column, so that as many lines
 * are on their way from memory. Some rows of a have their sums in registers, of two vectors of columns; the others meet the same
 * columns just behind them, while those are in the first-level cache. */
#ifndef CC_FEW_ROWS_INC_H
#define CC_FEW_ROWS_INC_H

#include "kernels/gemm/gemm_kernels.h"
#include "kernels/macros.h"

/* Rows row .. row+rows-1 by columns j .. j+NR-1, or as many as there are. next: NULL, or what each step's row of b has for later
 * columns. */
ALWAYS_INLINE void few_rows_tile(const cc_few_rows *f, int64_t row, int64_t j, const int rows, const bool full,
                                 const float *next)
{
    vec acc[CC_FEW_ROWS][2];
    const mask m0 = mask_first((int)(f->n - j)), m1 = mask_first((int)(f->n - j) - VEC);
    float *y = f->y + row * f->n + j;
    UNROLL
    for (int i = 0; i < rows; ++i) {
        acc[i][0] = full ? vec_load(y + i * f->n) : vec_load_part(y + i * f->n, m0);
        acc[i][1] = full ? vec_load(y + i * f->n + VEC) : vec_load_part(y + i * f->n + VEC, m1);
    }
    const float *a = f->a + row, *b = f->b + j;
    for (int64_t s = 0; s < f->steps; ++s, a += f->m, b += f->b_row) {
        if (next) {
            for (int k = 0; k < NR; k += LINE) PREFETCH(next + k);
            next += f->b_row;
        }
        const vec b0 = full ? vec_load(b) : vec_load_part(b, m0), b1 = full ? vec_load(b + VEC) : vec_load_part(b + VEC, m1);
        UNROLL
        for (int i = 0; i < rows; ++i) {
            const vec x = vec_set1(a[i]);
            acc[i][0] = vec_fma(x, b0, acc[i][0]);
            acc[i][1] = vec_fma(x, b1, acc[i][1]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        if (full) {
            vec_store(y + i * f->n, acc[i][0]);
            vec_store(y + i * f->n + VEC, acc[i][1]);
        } else {
            vec_store_part(y + i * f->n, m0, acc[i][0]);
            vec_store_part(y + i * f->n + VEC, m1, acc[i][1]);
        }
    }
}

/* f->m = rows. */
ALWAYS_INLINE void few_rows_body(const cc_few_rows *f, const int rows)
{
    enum { AHEAD = 4 * NR }; /* columns that are called for */
    const int first = rows <= MR ? rows : (rows + 1) / 2, others = rows - first;
    const float *beyond = f->b + f->steps * f->b_row - f->n; /* the first columns of the next rows */
    for (int64_t j = 0; j < f->n; j += NR) {
        const float *next = (j + AHEAD < f->n ? f->b : beyond) + j + AHEAD;
        if (f->n - j >= NR && !PARTS_ARE_FREE) {
            few_rows_tile(f, 0, j, first, true, next);
            if (others) few_rows_tile(f, first, j, others, true, NULL);
        } else {
            few_rows_tile(f, 0, j, first, false, next);
            if (others) few_rows_tile(f, first, j, others, false, NULL);
        }
    }
}

#define DEFINE_FEW_ROWS(rows)                                                                                                  \
    static void few_rows_##rows(const cc_few_rows *given)                                                                      \
    {                                                                                                                          \
        const cc_few_rows f = *given;                                                                                          \
        few_rows_body(&f, rows);                                                                                               \
    }
EACH_UP_TO(8, DEFINE_FEW_ROWS)

static void few_rows(const cc_few_rows *f)
{
#define ENTRY(rows) few_rows_##rows,
    static void (*const table[CC_FEW_ROWS])(const cc_few_rows *) = {EACH_UP_TO(8, ENTRY)};
#undef ENTRY
    table[f->m - 1](f);
}

#endif
