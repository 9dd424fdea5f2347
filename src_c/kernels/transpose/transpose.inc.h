/* Transposing, written once over the vocabulary of simd_*.h: squares of vectors, in registers. */
#ifndef CC_TRANSPOSE_INC_H
#define CC_TRANSPOSE_INC_H

#include "kernels/macros.h"
#include "kernels/transpose/transpose_kernels.h"

ALWAYS_INLINE void transpose_square(float *y, int64_t y_row, const float *x, int64_t x_row, const int rows, const int columns)
{
    const mask high = mask_first(rows), wide = mask_first(columns);
    vec square[VEC];
    for (int j = 0; j < VEC; ++j)
        square[j] = j >= columns ? vec_zero() : rows == VEC ? vec_load(x + j * x_row) : vec_load_part(x + j * x_row, high);
    vec_transpose(square);
    for (int i = 0; i < rows; ++i) {
        if (columns == VEC)
            vec_store(y + i * y_row, square[i]);
        else
            vec_store_part(y + i * y_row, wide, square[i]);
    }
}

/* Channels of an image, say, of which a square would be all but empty. */
ALWAYS_INLINE void transpose_few(float *y, int64_t y_row, const float *x, int64_t x_row, int64_t rows, const int columns)
{
    for (int64_t i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < columns; ++j) y[i * y_row + j] = x[j * x_row + i];
    }
}

static void transpose_thin(float *y, int64_t y_row, const float *x, int64_t x_row, int64_t rows, int64_t columns)
{
    switch (columns) {
    case 1: transpose_few(y, y_row, x, x_row, rows, 1); return;
    case 2: transpose_few(y, y_row, x, x_row, rows, 2); return;
    case 3: transpose_few(y, y_row, x, x_row, rows, 3); return;
    case 4: transpose_few(y, y_row, x, x_row, rows, 4); return;
    }
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) y[i * y_row + j] = x[j * x_row + i];
}

static void transpose_matrix(float *y, int64_t y_row, const float *x, int64_t x_row, int64_t rows, int64_t columns)
{
    if (2 * rows < VEC || 2 * columns < VEC) {
        transpose_thin(y, y_row, x, x_row, rows, columns);
        return;
    }
    for (int64_t i = 0; i < rows; i += VEC) {
        const int high = rows - i < VEC ? (int)(rows - i) : VEC;
        for (int64_t j = 0; j < columns; j += VEC) {
            const int wide = columns - j < VEC ? (int)(columns - j) : VEC;
            if (high == VEC && wide == VEC)
                transpose_square(y + i * y_row + j, y_row, x + j * x_row + i, x_row, VEC, VEC);
            else
                transpose_square(y + i * y_row + j, y_row, x + j * x_row + i, x_row, high, wide);
        }
    }
}

static const cc_transpose_kernels transpose_kernels = {
    .matrix = transpose_matrix,
};

#endif
