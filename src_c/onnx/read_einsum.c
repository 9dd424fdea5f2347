/* Einsum: products of tensors whose axes have letters, summed over the letters that the result does not have. One operand after
 * the other is multiplied with what there is so far, as matrices: letters that both have and that stay are a batch, those that go
 * are summed over, the others are rows and columns. The axes of an ellipsis are letters, too: the numbers 1, 2, ... from the last
 * on. */
#include "onnx/reader.h"
#include "base/alloc.h"
#include <string.h>

typedef struct term { /* a tensor and the letters of its axes */
    int node, rank;
    char letter[CCONV_MAX_RANK];
} term;

static int einsum_find(const term *t, char letter)
{
    for (int i = 0; i < t->rank; ++i)
        if (t->letter[i] == letter) return i;
    return -1;
}

static bool einsum_append(onnx_call *c, term *t, char letter)
{
    if (t->rank == CCONV_MAX_RANK) return onnx_refuse(c, "terms of more than %d letters", CCONV_MAX_RANK);
    t->letter[t->rank++] = letter;
    return true;
}

static bool einsum_is_letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* Reads the letters of a term up to a comma, an arrow or the end. dots: how many axes an ellipsis has; -1: those of `rank` that no
 * letter names, which is then told. */
static const char *einsum_read_term(onnx_call *c, const char *text, int rank, int *dots, term *t)
{
    int letters = 0;
    for (const char *p = text; *p && *p != ',' && *p != '-'; ++p) letters += einsum_is_letter(*p);
    const bool ellipsis = *dots < 0;
    const int hidden = ellipsis ? rank - letters : *dots;
    int seen = 0;
    t->rank = 0;
    while (*text && *text != ',' && *text != '-') {
        if (*text == '.') {
            if (strncmp(text, "...", 3) != 0 || seen++) {
                onnx_damaged(c, "expected at most one '...' in a term of the equation");
                return text;
            }
            for (int k = hidden; k > 0; --k)
                if (!einsum_append(c, t, (char)k)) return text;
            text += 3;
        } else if (einsum_is_letter(*text)) {
            if (!einsum_append(c, t, *text++)) return text;
        } else if (*text++ != ' ') {
            onnx_damaged(c, "expected letters in the equation, received '%c'", text[-1]);
            return text;
        }
    }
    if (ellipsis) *dots = seen ? hidden : 0;
    return text;
}

/* Axes i and k, which have the same letter, become one: the elements where both indices are the same. It is the first then. */
static void einsum_join(onnx_call *c, term *t, int i, int k)
{
    const cc_shape shape = *onnx_shape(c, t->node);
    const int64_t n = shape.dim[i];
    if (n != shape.dim[k] || n > 30000) {
        onnx_refuse(c, "a diagonal of %lld by %lld elements", (long long)n, (long long)shape.dim[k]);
        return;
    }
    term joined = {.rank = 1, .letter = {t->letter[i]}};
    int axes[CCONV_MAX_RANK] = {i, k};
    int64_t dim[CCONV_MAX_RANK] = {n * n};
    for (int m = 0; m < t->rank; ++m) {
        if (m == i || m == k) continue;
        axes[joined.rank + 1] = m;
        dim[joined.rank] = shape.dim[m];
        joined.letter[joined.rank++] = t->letter[m];
    }
    int32_t *places = onnx_work(c, n, sizeof *places);
    if (!places) return;
    for (int64_t m = 0; m < n; ++m) places[m] = (int32_t)(m * (n + 1));
    const int flat = onnx_reshape(c, onnx_transpose(c, t->node, t->rank, axes), joined.rank, dim);
    joined.node = onnx_add2(c, "take", flat, onnx_constant(c, CCONV_INT32, 1, &n, places), "axis=0");
    cc_free(places);
    *t = joined;
}

static void einsum_join_all(onnx_call *c, term *t)
{
    for (int i = 0; i < t->rank; ++i)
        for (int k = i + 1; k < t->rank; ++k)
            if (t->letter[i] == t->letter[k]) {
                einsum_join(c, t, i, k);
                if (onnx_failed(c)) return;
                i = -1; /* once more from the first on */
                break;
            }
}

/* Sums over the letters that neither `with` nor `kept` has. */
static void einsum_sum(onnx_call *c, term *t, const term *with, const term *kept)
{
    int64_t axes[CCONV_MAX_RANK];
    int n = 0, rank = 0;
    for (int i = 0; i < t->rank; ++i) {
        if (einsum_find(with, t->letter[i]) < 0 && einsum_find(kept, t->letter[i]) < 0)
            axes[n++] = i;
        else
            t->letter[rank++] = t->letter[i];
    }
    char text[256];
    t->rank = rank;
    if (n) t->node = onnx_add1(c, "sum", t->node, "%s", onnx_list_text(text, "axes", n, axes));
}

/* The axes of one factor in the order of its matrices: a batch, then rows and columns. */
typedef struct grouping {
    int n, batch, free, summed;
    int axes[CCONV_MAX_RANK]; /* batch, then the two others in the order that is asked for */
} grouping;

static grouping einsum_group(const term *t, const term *other, const term *kept, bool summed_last, const term *order)
{
    grouping g = {0};
    for (int k = 0; k < order->rank; ++k) /* what both have in one order, that of the left factor */
        if (einsum_find(kept, order->letter[k]) >= 0 && einsum_find(t, order->letter[k]) >= 0 &&
            einsum_find(other, order->letter[k]) >= 0)
            g.axes[g.n++] = einsum_find(t, order->letter[k]);
    g.batch = g.n;
    for (int pass = 0; pass < 2; ++pass) {
        const int before = g.n;
        if ((pass == 1) == summed_last) {
            for (int k = 0; k < order->rank; ++k)
                if (einsum_find(kept, order->letter[k]) < 0 && einsum_find(t, order->letter[k]) >= 0)
                    g.axes[g.n++] = einsum_find(t, order->letter[k]);
            g.summed = g.n - before;
        } else {
            for (int i = 0; i < t->rank; ++i)
                if (einsum_find(other, t->letter[i]) < 0) g.axes[g.n++] = i;
            g.free = g.n - before;
        }
    }
    return g;
}

/* A factor as a batch of matrices. */
static int einsum_matrices(onnx_call *c, const term *t, const grouping *g, int rows)
{
    const int node = onnx_transpose(c, t->node, g->n, g->axes);
    if (onnx_failed(c)) return 0;
    const cc_shape shape = *onnx_shape(c, node);
    int64_t dim[CCONV_MAX_RANK];
    for (int i = 0; i < g->batch; ++i) dim[i] = shape.dim[i];
    dim[g->batch] = cc_shape_product(&shape, g->batch, g->batch + rows);
    dim[g->batch + 1] = cc_shape_product(&shape, g->batch + rows, shape.rank);
    return onnx_reshape(c, node, g->batch + 2, dim);
}

/* a times b, summed over the letters that `kept` does not have. */
static term einsum_multiply(onnx_call *c, term a, term b, const term *kept)
{
    einsum_sum(c, &a, &b, kept);
    einsum_sum(c, &b, &a, kept);
    const grouping left = einsum_group(&a, &b, kept, true, &a), right = einsum_group(&b, &a, kept, false, &a);
    term y = {.rank = left.batch + left.free + right.free};
    if (onnx_failed(c)) return y;
    if (y.rank > CCONV_MAX_RANK || left.batch + 2 > CCONV_MAX_RANK) {
        onnx_refuse(c, "a product of %d axes", y.rank);
        return y;
    }
    for (int i = 0; i < left.summed; ++i) {
        const int p = left.axes[left.n - left.summed + i], q = right.axes[right.batch + i];
        if (onnx_shape(c, a.node)->dim[p] != onnx_shape(c, b.node)->dim[q]) {
            onnx_damaged(c, "expected axes of one letter to be as long, received %lld and %lld",
                         (long long)onnx_shape(c, a.node)->dim[p], (long long)onnx_shape(c, b.node)->dim[q]);
            return y;
        }
    }
    const int x = einsum_matrices(c, &a, &left, left.free), w = einsum_matrices(c, &b, &right, right.summed);
    const bool layer = left.batch == 0 && onnx_shape(c, x)->type == CCONV_FLOAT32;
    const int product = onnx_add2(c, !left.summed ? "multiply" : layer ? "dense" : "matmul", x, w, NULL);
    if (onnx_failed(c)) return y;
    int64_t dim[CCONV_MAX_RANK];
    int n = 0;
    for (int i = 0; i < left.batch; ++i, ++n) {
        dim[n] = onnx_shape(c, product)->dim[i];
        y.letter[n] = a.letter[left.axes[i]];
    }
    for (int i = 0; i < left.free; ++i, ++n) {
        dim[n] = onnx_shape(c, a.node)->dim[left.axes[left.batch + i]];
        y.letter[n] = a.letter[left.axes[left.batch + i]];
    }
    for (int i = 0; i < right.free; ++i, ++n) {
        dim[n] = onnx_shape(c, b.node)->dim[right.axes[right.batch + right.summed + i]];
        y.letter[n] = b.letter[right.axes[right.batch + right.summed + i]];
    }
    y.node = onnx_reshape(c, product, n, dim);
    return y;
}

/* The result of an equation without an arrow: the ellipsis, then the letters that come once, by alphabet. */
static void einsum_default(onnx_call *c, const char *equation, int dots, term *out)
{
    int times[128] = {0};
    out->rank = 0;
    for (const char *p = equation; *p; ++p)
        if (einsum_is_letter(*p)) ++times[(int)*p];
    for (int k = dots; k > 0; --k) einsum_append(c, out, (char)k);
    for (int letter = 'A'; letter <= 'z'; ++letter)
        if (times[letter] == 1) einsum_append(c, out, (char)letter);
}

/* Letters of the result and of terms from `first` on. */
static bool einsum_kept(const term *out, const term *terms, int first, int n, term *kept)
{
    char seen[128] = {0};
    kept->rank = 0;
    for (int k = first - 1; k < n; ++k) {
        const term *t = k < first ? out : &terms[k];
        for (int i = 0; i < t->rank; ++i) {
            if (seen[(int)t->letter[i]]++) continue;
            if (kept->rank == CCONV_MAX_RANK) return false;
            kept->letter[kept->rank++] = t->letter[i];
        }
    }
    return true;
}

enum { TERMS = 16 };

bool onnx_read_Einsum(onnx_call *c)
{
    const char *equation = onnx_string(c, "equation", ""), *text = equation;
    const int n = onnx_inputs(c);
    term terms[TERMS], out = {0}, kept, y;
    if (onnx_failed(c)) return false;
    if (n < 1 || n > TERMS) return onnx_refuse(c, "%d inputs (1 to %d are supported)", n, TERMS);
    int most = 0;
    for (int k = 0; k < n && !onnx_failed(c); ++k) {
        terms[k].node = onnx_input(c, k);
        int dots = -1;
        text = einsum_read_term(c, text, onnx_shape(c, terms[k].node)->rank, &dots, &terms[k]);
        if (onnx_failed(c)) return false;
        if (terms[k].rank != onnx_shape(c, terms[k].node)->rank)
            return onnx_damaged(c, "expected %d letters for input %d in '%s', received %d", onnx_shape(c, terms[k].node)->rank,
                                k, equation, terms[k].rank);
        if (dots > most) most = dots;
        if (k < n - 1 && *text++ != ',') return onnx_damaged(c, "expected a term for each of %d inputs in '%s'", n, equation);
        einsum_join_all(c, &terms[k]);
    }
    if (strncmp(text, "->", 2) == 0)
        text = einsum_read_term(c, text + 2, 0, &most, &out);
    else
        einsum_default(c, equation, most, &out);
    if (onnx_failed(c)) return false;
    if (*text) return onnx_damaged(c, "expected a term for each of %d inputs in '%s'", n, equation);
    y = terms[0];
    for (int k = 1; k < n && !onnx_failed(c); ++k) {
        if (!einsum_kept(&out, terms, k + 1, n, &kept)) return onnx_refuse(c, "equation '%s'", equation);
        y = einsum_multiply(c, y, terms[k], &kept);
    }
    einsum_sum(c, &y, &out, &out);
    int axes[CCONV_MAX_RANK];
    for (int i = 0; i < out.rank; ++i)
        if ((axes[i] = einsum_find(&y, out.letter[i])) < 0)
            return onnx_damaged(c, "expected letters of the inputs in the result of '%s'", equation);
    if (out.rank != y.rank) return onnx_damaged(c, "expected each letter once in the result of '%s'", equation);
    return onnx_give(c, 0, onnx_transpose(c, y.node, out.rank, axes));
}
