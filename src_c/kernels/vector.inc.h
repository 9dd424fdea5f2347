/* Loops over contiguous vectors, written once over the vocabulary of simd_*.h. Included after a simd_*.h. */

static void vector_add(float *y, const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(y + i, vec_add(vec_load(y + i), vec_load(x + i)));
    if (i < n) {
        const mask m = mask_first((int)(n - i));
        vec_store_part(y + i, m, vec_add(vec_load_part(y + i, m), vec_load_part(x + i, m)));
    }
}
