"""Convolution beyond the cases of test_ops.py: what a textbook says of it, algorithm against algorithm, errors."""

import numpy as np
import pytest
from cases.conv import algorithms_for
from reference.conv import conv as reference_conv
from reference.conv import conv_backward as reference_conv_backward
from reference.conv import conv_transpose, conv_transpose_backward
from scipy.signal import convolve2d, correlate2d

from cconv import _core

ALGORITHMS = ("auto", "direct", "im2col")  # those that serve any geometry


def conv(x, w, b=None, threads=1, **attributes):
    return run("conv", [x, w, b], attributes, threads=threads)[0]


def run(op, arrays, attributes, dy=None, wrt=(), threads=1):
    """y and the gradients of the inputs `wrt`, by a graph of this op alone."""
    arrays = [None if array is None else np.ascontiguousarray(array, np.float32) for array in arrays]
    graph = _core.Graph()
    nodes = [0 if array is None else graph.input(array.shape) for array in arrays]
    node = graph.add(op, nodes, attributes, name="under_test")
    plan = _core.Plan(graph, [node], root=node if wrt else 0, wrt=[nodes[i] for i in wrt], threads=threads)
    y = plan.run([a for a in arrays if a is not None], root_gradient=None if dy is None else dy.astype(np.float32))[0]
    return [y, *(plan.gradient(nodes[i]) for i in wrt)]


def describe(x_shape, w_shape, **attributes):
    graph = _core.Graph()
    node = graph.add("conv", [graph.input(x_shape), graph.input(w_shape), 0], attributes)
    plan = _core.Plan(graph, [node])
    return plan.describe(), plan.bytes


def integers(rng, *shape):
    return rng.integers(-8, 9, shape).astype(np.float32)


# ---- What it computes ----


def test_conv_of_the_textbook():
    x, w = np.arange(9).reshape(1, 3, 3, 1), np.arange(4).reshape(2, 2, 1, 1)
    for algorithm in ALGORITHMS:
        assert conv(x, w, algorithm=algorithm)[0, :, :, 0].tolist() == [[19, 25], [37, 43]]


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "rows"])
def test_conv_is_correlation_and_flipped_it_is_convolution(algorithm):
    rng = np.random.default_rng(1)
    image, kernel = integers(rng, 7, 9), integers(rng, 3, 4)
    x = image[None, :, :, None]
    correlation = conv(x, kernel[:, :, None, None], algorithm=algorithm)[0, :, :, 0]
    convolution = conv(x, kernel[::-1, ::-1, None, None], algorithm=algorithm)[0, :, :, 0]
    assert np.array_equal(correlation, correlate2d(image, kernel, "valid"))
    assert np.array_equal(convolution, convolve2d(image, kernel, "valid"))


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "rows"])
def test_conv_gradients_are_full_correlation_correlation_and_sum(algorithm):
    """The three formulae of docs/convolution.md, on one channel."""
    rng = np.random.default_rng(2)
    image, kernel, dy = integers(rng, 6, 8), integers(rng, 3, 2), integers(rng, 4, 7)
    _, dx, dw, db = run(
        "conv",
        [image[None, :, :, None], kernel[:, :, None, None], [0]],
        {"algorithm": algorithm},
        dy=dy[None, :, :, None],
        wrt=(0, 1, 2),
    )
    assert np.array_equal(dx[0, :, :, 0], correlate2d(dy, kernel[::-1, ::-1], "full"))
    assert np.array_equal(dw[:, :, 0, 0], correlate2d(image, dy, "valid"))
    assert db[0] == dy.sum()


def test_conv_1x1_is_dense_over_pixels():
    rng = np.random.default_rng(3)
    x, w, b = rng.standard_normal((2, 5, 4, 19)), rng.standard_normal((19, 21)), rng.standard_normal(21)
    dy = rng.standard_normal((2, 5, 4, 21))
    by_conv = run("conv", [x, w[None, None], b], {}, dy, (0, 1, 2))
    by_dense = run("dense", [x, w, b], {}, dy, (0, 1, 2))
    for a, d in zip(by_conv, by_dense, strict=True):
        np.testing.assert_allclose(a.reshape(d.shape), d, rtol=1e-5, atol=1e-5)
    assert np.array_equal(by_conv[0], by_dense[0])


def test_conv_groups_are_convolutions_side_by_side():
    rng = np.random.default_rng(4)
    x, w = rng.standard_normal((1, 6, 5, 12)), rng.standard_normal((3, 3, 4, 9))
    parts = [conv(x[..., 4 * g : 4 * g + 4], w[..., 3 * g : 3 * g + 3]) for g in range(3)]
    np.testing.assert_allclose(conv(x, w, groups=3), np.concatenate(parts, -1), rtol=1e-5, atol=1e-5)


def test_conv_dilation_is_a_kernel_with_zeros_between():
    rng = np.random.default_rng(5)
    x, w = integers(rng, 1, 11, 12, 3), integers(rng, 3, 2, 3, 4)
    spread = np.zeros((5, 4, 3, 4), np.float32)
    spread[::2, ::3] = w
    assert np.array_equal(conv(x, w, dilation=(2, 3)), conv(x, spread))


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("stride", (1, 2, 3, 5))
def test_conv_same_is_explicit_with_the_odd_cell_at_the_end(size, stride):
    rng = np.random.default_rng(6)
    x, w = integers(rng, 1, size, size, 2), integers(rng, 4, 3, 2, 3)
    outputs = -(-size // stride)
    totals = [max((outputs - 1) * stride + k - size, 0) for k in (4, 3)]
    pads = [totals[0] // 2, totals[1] // 2, totals[0] - totals[0] // 2, totals[1] - totals[1] // 2]
    same = conv(x, w, padding="same", strides=stride)
    assert same.shape == (1, outputs, outputs, 3)
    assert np.array_equal(same, conv(x, w, padding="explicit", pads=pads, strides=stride))


# ---- The algorithms ----


@pytest.mark.parametrize("seed", range(40))
def test_conv_algorithms_agree_on_random_geometry(seed):
    """Any geometry, on integers: all algorithms give the bits of the reference, with 1 and with 3 threads."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 1, 2, 3]))
    c, oc = groups * int(rng.integers(1, 20)), groups * int(rng.integers(1, 40))
    kh, kw, n, h, w = (int(rng.integers(1, high)) for high in (5, 5, 4, 10, 16))
    attributes = {
        "strides": tuple(int(i) for i in rng.integers(1, 4, 2)),
        "dilation": tuple(int(i) for i in rng.integers(1, 2 if seed % 4 < 2 else 4, 2)),
        "groups": groups,
    }
    attributes |= [{"padding": "same"}, {"padding": "explicit", "pads": [int(i) for i in rng.integers(6, 13, 4)]}][
        seed % 2
    ]
    x, kernel, b = integers(rng, n, h, w, c), integers(rng, kh, kw, c // groups, oc), integers(rng, oc)
    expected = reference_conv(*(a.astype(np.float64) for a in (x, kernel, b)), **attributes)
    dy = integers(rng, *expected.shape)
    first = None
    fits_rows = groups == 1 and attributes["dilation"] == (1, 1) and kw > 1
    fits_planar = attributes["dilation"] == (1, 1) and c // groups <= 8
    fitting = {"grouped": 1 < groups < c, "rows": fits_rows, "planar": fits_planar}
    for algorithm in (*ALGORITHMS, *(name for name, fits in fitting.items() if fits)):
        for threads in (1, 3):
            results = run("conv", [x, kernel, b], attributes | {"algorithm": algorithm}, dy, (0, 1, 2), threads)
            assert np.array_equal(results[0], expected)
            first = first or results
            assert all(np.array_equal(a, r) for a, r in zip(first, results, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_depthwise_on_random_geometry(seed):
    """On integers, the bits of the reference, with any number of threads."""
    rng = np.random.default_rng(seed)
    c, many = int(rng.integers(2, 70)), int(rng.choice([1, 1, 1, 2]))
    kh, kw = (int(k) for k in rng.choice([1, 2, 3, 3, 3, 5, 5, 6], 2))
    n, h, w = int(rng.integers(1, 4)), int(rng.integers(1, 12)), int(rng.integers(1, 40))
    attributes = {
        "strides": tuple(int(i) for i in rng.choice([1, 1, 2, 2, 3], 2)),
        "dilation": tuple(int(i) for i in rng.choice([1, 1, 1, 2], 2)),
        "groups": c,
    }
    explicit = {"padding": "explicit", "pads": [int(i) for i in rng.integers(6, 13, 4)]}
    attributes |= explicit if seed % 2 else {"padding": "same"}
    x, kernel, b = integers(rng, n, h, w, c), integers(rng, kh, kw, 1, c * many), integers(rng, c * many)
    expected = reference_conv(*(a.astype(np.float64) for a in (x, kernel, b)), **attributes)
    dy = integers(rng, *expected.shape)
    first = None
    for threads in (1, 2, 3):
        results = run("conv", [x, kernel, b], attributes | {"algorithm": "depthwise"}, dy, (0, 1, 2), threads)
        first = first or results
        assert all(np.array_equal(a, r) for a, r in zip(first, results, strict=True))
    assert np.array_equal(first[0], expected)
    by_another = run("conv", [x, kernel, b], attributes | {"algorithm": "direct"}, dy, (0, 1, 2))
    assert all(np.array_equal(a, r) for a, r in zip(first, by_another, strict=True))
    for activation, most in (("relu", np.inf), ("relu6", 6)):
        y = conv(x, kernel, b, algorithm="depthwise", activation=activation, **attributes)
        assert np.array_equal(y, np.clip(expected, 0, most))


@pytest.mark.parametrize("kernel", [(7, 7), (9, 9), (3, 7), (7, 2), (11, 4)])
@pytest.mark.parametrize("image", [(7, 7), (14, 14), (3, 29), (20, 1)])
@pytest.mark.parametrize(
    "attributes", [{}, {"strides": (1, 2)}, {"dilation": (2, 2)}, {"dilation": (1, 3), "strides": 2}]
)
def test_depthwise_of_wide_kernels(kernel, image, attributes):
    """On integers, the bits of the reference, with channels around the width of a vector."""
    rng = np.random.default_rng(7)
    for c in (5, 16, 33):
        settings = {"padding": "same", "groups": c, "algorithm": "depthwise", **attributes}
        x, w, b = integers(rng, 2, *image, c), integers(rng, *kernel, 1, c), integers(rng, c)
        y = run("conv", [x, w, b], settings)[0]
        expected = reference_conv(x, w, b, padding="same", groups=c, **attributes)
        assert np.array_equal(y, expected)
        dy = integers(rng, *expected.shape)
        results = run("conv", [x, w, b], settings, dy, (0, 1, 2), 3)
        by_another = run("conv", [x, w, b], settings | {"algorithm": "direct"}, dy, (0, 1, 2))
        assert all(np.array_equal(a, r) for a, r in zip(results, by_another, strict=True))


@pytest.mark.parametrize("c", [257, 512, 700])
@pytest.mark.parametrize("dilation", [1, 3, 6, 12, 24])
@pytest.mark.parametrize("algorithm", ["direct", "im2col"])
def test_conv_of_many_channels_whose_cells_lie_in_the_padding(c, dilation, algorithm):
    """Pixels that see padding are left out of a cell's product; on integers, the bits of the reference."""
    rng = np.random.default_rng(dilation)
    x, w, b = integers(rng, 2, 7, 9, c), integers(rng, 3, 3, c, 33), integers(rng, 33)
    attributes = {"padding": "same", "dilation": dilation}
    expected = reference_conv(*(a.astype(np.float64) for a in (x, w, b)), **attributes)
    dy = integers(rng, *expected.shape)
    y, dx = run("conv", [x, w, b], attributes | {"algorithm": algorithm}, dy, (0,), 3)
    assert np.array_equal(y, expected)
    turned = np.ascontiguousarray(w[::-1, ::-1].swapaxes(2, 3))
    assert np.array_equal(dx, reference_conv(dy, turned, np.zeros(c), **attributes))
    gelu = conv(x, w, b, algorithm=algorithm, activation="gelu", **attributes)
    np.testing.assert_allclose(gelu, run("gelu", [expected], {})[0], rtol=1e-6)


@pytest.mark.parametrize("op", ("conv", "conv_transpose"))
@pytest.mark.parametrize("axes", (1, 2, 3))
@pytest.mark.parametrize("seed", range(12))
def test_conv_of_any_rank_on_random_geometry(seed, axes, op):
    """On integers, every algorithm that fits gives the bits of the reference, with 1 and with 3 threads."""
    rng = np.random.default_rng(seed)

    def draw(low, high):
        return tuple(int(i) for i in rng.integers(low, high, axes))

    groups = int(rng.choice([1, 1, 2, 3]))
    c, oc = groups * int(rng.integers(1, 20)), groups * int(rng.integers(1, 20))
    kernel, image = draw(1, 5), draw(1, (40, 12, 7)[axes - 1])
    if axes == 3 and seed % 3 == 0:
        kernel = (1, *kernel[1:])
    attributes = {"strides": draw(1, 4), "dilation": draw(1, 2 if seed % 4 < 2 else 4), "groups": groups}
    if axes == 3 and seed % 6 == 0:
        attributes["strides"] = (1, *attributes["strides"][1:])
    if op == "conv":
        pads = [int(i) for i in rng.integers(6, 13, 2 * axes)]
        attributes |= {"padding": "explicit", "pads": pads} if seed % 2 else {"padding": "same"}
    else:
        attributes |= {"padding": ("valid", "same")[seed % 2]}
        if seed % 5 == 0:
            attributes["output_padding"] = tuple(s - 1 for s in attributes["strides"])
    x = integers(rng, int(rng.integers(1, 4)), *image, c)
    w = integers(rng, *kernel, *((c // groups, oc) if op == "conv" else (oc // groups, c)))
    arrays = [x, w, integers(rng, oc)]
    doubles = [a.astype(np.float64) for a in arrays]
    forward, backward = {
        "conv": (reference_conv, reference_conv_backward),
        "conv_transpose": (conv_transpose, conv_transpose_backward),
    }[op]
    expected = forward(*doubles, **attributes)
    dy = integers(rng, *expected.shape)
    expected = [expected, *backward(dy.astype(np.float64), *doubles, **attributes)]
    fitting = algorithms_for(kernel, c if op == "conv" else oc, attributes)
    for algorithm in ["auto", *fitting]:
        if algorithm == "winograd" or (algorithm == "auto" and "winograd" in fitting):
            continue  # not exact: see test_winograd.py
        for threads in (1, 3):
            results = run(op, arrays, attributes | {"algorithm": algorithm}, dy, (0, 1, 2), threads)
            for told, right in zip(results, expected, strict=True):
                assert np.array_equal(told, right), (algorithm, threads)


def test_a_signal_is_an_image_of_one_row():
    rng = np.random.default_rng(11)
    x, w, dy = (rng.standard_normal(shape) for shape in ((2, 19, 5), (4, 5, 7), (2, 10, 7)))
    settings = {"strides": 2, "padding": "same"}
    for algorithm in ("auto", "direct", "im2col", "rows"):
        signal = run("conv", [x, w], settings | {"algorithm": algorithm}, dy, (0, 1))
        image = run("conv", [x[:, None], w[None]], settings | {"algorithm": algorithm}, dy[:, None], (0, 1))
        for a, b in zip(signal, image, strict=True):
            assert np.array_equal(a, b.reshape(a.shape)), algorithm


@pytest.mark.parametrize("side", (3, 5))
@pytest.mark.parametrize("algorithm", (*ALGORITHMS, "rows", "winograd"))
def test_planes_that_no_kernel_joins_are_images(algorithm, side):
    """To the last bit: a volume of 2 x 3 planes is 6 images."""
    rng = np.random.default_rng(12)
    x, w, dy = (rng.standard_normal(shape) for shape in ((2, 3, 9, 8, 5), (side, side, 5, 7), (2, 3, 9, 8, 7)))
    settings = {"padding": "same", "algorithm": algorithm}
    volume = run("conv", [x, w[None]], settings, dy, (0, 1))
    images = run("conv", [x.reshape(6, 9, 8, 5), w], settings, dy.reshape(6, 9, 8, 7), (0, 1))
    for a, b in zip(volume, images, strict=True):
        assert np.array_equal(a, b.reshape(a.shape))


@pytest.mark.parametrize("side", (3, 5))
@pytest.mark.parametrize("algorithm", (*ALGORITHMS, "rows", "winograd"))
@pytest.mark.parametrize("axes", (2, 3))
def test_a_transposed_convolution_is_the_input_gradient_and_back(algorithm, axes, side):
    """To the last bit, with the same kernel: y of one is dx of the other."""
    rng = np.random.default_rng(13)
    kernel = (1, side, side)[3 - axes :]
    w = rng.standard_normal((*kernel, 6, 9))
    large, small = (
        rng.standard_normal((2, *(2, 9, 8)[3 - axes :], 6)),
        rng.standard_normal((2, *(2, 9, 8)[3 - axes :], 9)),
    )
    settings = {"padding": "same", "algorithm": algorithm}
    y, dx, dw = run("conv", [large, w], settings, small, (0, 1))
    z, dz, dv = run("conv_transpose", [small, w], settings, large, (0, 1))
    assert np.array_equal(z, dx) and np.array_equal(dz, y) and np.array_equal(dw, dv)


def test_a_transposed_convolution_of_the_textbook():
    """Dumoulin and Visin: a 2x2 image under a 3x3 kernel of ones becomes 4x4, each cell what overlaps there."""
    x = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    y = run("conv_transpose", [x, np.ones((3, 3, 1, 1)), None], {})[0][0, :, :, 0]
    assert y.tolist() == [[1, 3, 3, 2], [4, 10, 10, 6], [4, 10, 10, 6], [3, 7, 7, 4]]
    y = run("conv_transpose", [x, np.ones((2, 2, 1, 1)), None], {"strides": 2})[0][0, :, :, 0]
    assert y.tolist() == np.kron([[1, 2], [3, 4]], np.ones((2, 2))).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_volumes_by_algorithms_of_images(seed):
    """Random depths, strides, dilations and pads, also such that planes see nothing but padding; both ops."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 1, 3]))
    c, k = (groups * int(i) for i in rng.integers(2, 5, 2))
    pads = [int(p) for p in rng.integers(0, 5, 1)] + [1, 1] + [int(p) for p in rng.integers(0, 5, 1)] + [1, 1]
    attributes = {
        "strides": [int(rng.integers(1, 3)), 1, 1], "dilation": [int(rng.integers(1, 3)), 1, 1], "padding": "explicit",
        "pads": pads, "groups": groups,
    }  # fmt: skip
    x = integers(rng, 2, int(rng.integers(3, 7)), 5, 6, c)
    b = integers(rng, k)
    for op, shape in (("conv", (2, 3, 3, c // groups, k)), ("conv_transpose", (2, 3, 3, k // groups, c))):
        w, expected = integers(rng, *shape), None
        for algorithm in ("direct", "rows", "winograd") if groups == 1 else ("direct", "grouped"):
            for threads in (1, 2):
                graph = _core.Graph()
                nodes = [graph.input(a.shape) for a in (x, w, b)]
                y = graph.add(op, nodes, {**attributes, "algorithm": algorithm})
                plan = _core.Plan(graph, [y], root=y, wrt=nodes, threads=threads)
                dy = integers(np.random.default_rng(1), *plan.shape(y, 1))
                found = [plan.run([x, w, b], root_gradient=dy)[0], *(plan.gradient(node) for node in nodes)]
                expected = expected or found
                for a, e in zip(found, expected, strict=True):
                    slack = 1e-5 * max(1, np.abs(e).max()) if algorithm == "winograd" else 0
                    np.testing.assert_allclose(a, e, rtol=0, atol=slack)


def test_tuned_plans_of_volumes_compute_the_same():
    rng = np.random.default_rng(14)
    x, w, dy = integers(rng, 2, 4, 5, 6, 3), integers(rng, 2, 3, 2, 3, 8), integers(rng, 2, 3, 3, 5, 8)
    results = []
    for tune in (False, True):
        graph = _core.Graph()
        nodes = [graph.input(x.shape), graph.input(w.shape)]
        y = graph.add("conv", [*nodes, 0])
        plan = _core.Plan(graph, [y], root=y, wrt=nodes, threads=2, tune=tune)
        results.append([plan.run([x, w], root_gradient=dy)[0], *(plan.gradient(node) for node in nodes)])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_depthwise_nan_stays_visible():
    x, w = np.ones((1, 6, 12, 19)), np.ones((3, 3, 1, 19))
    x[0, 1, 1, 17] = np.nan
    for activation in ("linear", "relu", "relu6"):
        seen = np.zeros((1, 4, 10, 19), bool)
        seen[:, :2, :2, 17] = True
        assert np.array_equal(np.isnan(conv(x, w, groups=19, activation=activation)), seen), activation


@pytest.mark.parametrize("seed", range(12))
def test_grouped_infinities_reach_what_sees_them_only(seed):
    """At edges and corners too, where kernels hang over: NaN where `direct` has it, else its numbers."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([2, 3, 5]))
    c, oc = (groups * int(i) for i in rng.choice([2, 3, 4, 9, 17], 2))
    kh, kw = (int(i) for i in rng.choice([1, 2, 3, 3, 5], 2))
    h, w = (int(i) for i in rng.integers(1, 12, 2))
    attributes = {
        "strides": tuple(int(i) for i in rng.integers(1, 4, 2)),
        "dilation": tuple(int(i) for i in rng.integers(1, 3, 2)),
        "groups": groups,
        "padding": "same",
    }
    x, kernel = integers(rng, 2, h, w, c), integers(rng, kh, kw, c // groups, oc)
    dy = integers(rng, *conv(x, kernel, **attributes).shape)
    for array, bad in ((x, np.nan), (x, np.inf), (dy, -np.inf), (dy, np.nan)):
        y, i = rng.choice([0, array.shape[1] - 1]), rng.choice([0, array.shape[2] - 1, array.shape[2] // 2])
        array[rng.integers(2), y, i, rng.integers(array.shape[3])] = bad
        results = [
            run("conv", [x, kernel], attributes | {"algorithm": algorithm}, dy, (0, 1))
            for algorithm in ("direct", "grouped")
        ]
        for direct, grouped in zip(*results, strict=True):
            np.testing.assert_array_equal(grouped, direct)


def test_conv_says_which_algorithm_it_uses():
    assert "im2col" in describe((1, 8, 8, 16), (3, 3, 16, 4), algorithm="im2col")[0]
    assert "direct" in describe((1, 8, 8, 1), (3, 3, 1, 4), algorithm="direct")[0]
    assert "rows" in describe((1, 8, 8, 3), (3, 3, 3, 4), strides=2)[0]
    assert "rows" not in describe((1, 8, 8, 3), (3, 3, 3, 4), dilation=2)[0]
    assert "direct (gemm)" in describe((1, 8, 8, 16), (1, 1, 16, 4))[0]
    assert "depthwise" in describe((1, 8, 8, 16), (3, 3, 1, 16), groups=16)[0]
    assert "grouped" in describe((1, 8, 8, 64), (3, 3, 4, 64), groups=16)[0]
    assert "direct (gemm)" in describe((1, 4, 8, 8, 16), (1, 1, 1, 16, 4))[0]
    assert "winograd" in describe((1, 4, 32, 32, 64), (1, 3, 3, 64, 64), padding="same")[0]
    assert "rows" in describe((1, 90, 2), (5, 2, 64))[0]
    assert "planar" in describe((1, 90, 2), (5, 2, 8))[0]


def test_conv_im2col_never_holds_the_whole_patch_matrix():
    patches = 4 * 200 * 200 * 25 * 16
    assert describe((1, 200, 200, 16), (5, 5, 16, 1), algorithm="im2col", padding="same")[1] < patches / 4


def test_conv_direct_needs_no_memory_but_its_weights():
    x, y, packed = 4 * 200 * 200 * 16, 4 * 200 * 200 * 16, 4 * 5 * 5 * 16 * 32
    _, taken = describe((1, 200, 200, 16), (5, 5, 16, 16), algorithm="direct", padding="same")
    assert taken < x + y + packed + 4 * 5 * 5 * 16 * 16 + 100_000


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "rows"])
def test_conv_nan_stays_visible(algorithm):
    """A NaN in the input reaches every output that sees it, through an activation, and no other."""
    x, w = np.ones((1, 6, 6, 3)), np.ones((3, 3, 3, 5))
    x[0, 1, 1, 2] = np.nan
    smooth = ("elu", "sigmoid", "tanh", "softplus", "softsign", "arctan")
    for activation in ("linear", "relu", "relu6", *smooth, "binary_step"):
        y = conv(x, w, activation=activation, algorithm=algorithm)
        seen = np.zeros(y.shape, bool)
        seen[:, :2, :2] = True
        assert np.array_equal(np.isnan(y), seen), activation


# ---- Errors ----

GOOD = {"x": (2, 8, 8, 6), "w": (3, 3, 6, 4), "b": (4,)}
WRONG = [
    (
        {"x": (2, 6)},
        {},
        "expected images of shape (n, w, c), (n, h, w, c) or (n, d, h, w, c), received shape (2, 6)",
    ),
    ({"x": (2,) * 6}, {}, "expected images of shape (n, w, c).*received shape (2, 2, 2, 2, 2, 2)"),
    (
        {"x": (2, 8, 6)},
        {},
        "of one rank, (n, w, c) and (kw, c / groups, oc), received x of rank 3, shape (2, 8, 6), and w of rank 4",
    ),
    ({"w": (3, 6, 4)}, {}, "(n, h, w, c) and (kh, kw, c / groups, oc), received.*and w of rank 3, shape (3, 6, 4)"),
    ({}, {"strides": (1, 1, 1)}, "expected strides as 1 or 2 values, received 3"),
    ({"b": (4, 1)}, {}, "expected b of rank 1.*received shape (4, 1)"),
    ({"b": (5,)}, {}, "expected b with 4 values.*received 5"),
    ({"x": (2, 8, 8, 5)}, {}, "expected x with 6 channels.*received 5"),
    ({"w": (3, 3, 2, 4)}, {"groups": 2}, "expected x with 4 channels (2 of the kernel by 2 groups), received 6"),
    ({}, {"groups": 4}, "expected input channels divisible by groups, received 6 channels and 4 groups"),
    (
        {"w": (3, 3, 2, 4)},
        {"groups": 3},
        "expected output channels divisible by groups, received 4 channels and 3 groups",
    ),
    ({}, {"groups": 0}, "expected groups of at least 1, received 0"),
    ({}, {"strides": (0, 1)}, "expected strides of at least 1, received 0 along the height"),
    ({}, {"strides": (1, -2)}, "expected strides of at least 1, received -2 along the width"),
    ({}, {"dilation": (1, 0)}, "expected a dilation of at least 1, received 0 along the width"),
    (
        {"w": (9, 3, 6, 4)},
        {},
        "no larger than the padded input, received one that covers 9 cells along the height.*has 8",
    ),
    (
        {},
        {"dilation": (1, 4)},
        "no larger than the padded input, received one that covers 9 cells along the width.*has 8",
    ),
    ({}, {"padding": "explicit"}, "expects 4 pads (top, left, bottom, right), received 0"),
    ({}, {"padding": "explicit", "pads": [1, 1]}, "expects 4 pads (top, left, bottom, right), received 2"),
    (
        {},
        {"padding": "explicit", "pads": [1, 1, -1, 1]},
        "expected pads of at least 0, received 1 and -1 along the height",
    ),
    ({}, {"pads": [1, 1, 1, 1]}, 'pads are only for padding "explicit"; received 4 with padding "valid"'),
    ({}, {"padding": "full"}, "full"),
    ({}, {"activation": "relu7"}, "relu7"),
    ({}, {"activation": "leaky_relu", "alpha": -0.5}, "expected a finite alpha of at least 0, received -0.5"),
    ({}, {"algorithm": "fft"}, "fft"),
    ({}, {"algorithm": "depthwise"}, "expected an algorithm that fits"),
    ({}, {"algorithm": "rows", "dilation": (1, 2)}, "expected an algorithm that fits"),
    ({"w": (0, 3, 6, 4)}, {}, "expected a window of at least 1 cell, received 0 along the height"),
    ({"x": (2, 8, 6), "w": (3, 6, 4)}, {"strides": (1, 1)}, "expected strides as 1 value, received 2"),
    ({"x": (2, 8, 6), "w": (9, 6, 4)}, {}, "received one that covers 9 cells along the width.*has 8"),
    (
        {"x": (2, 8, 8, 8, 6), "w": (3, 3, 3, 6, 4)},
        {"padding": "explicit", "pads": [1, 1, 1, 1]},
        "expects 6 pads (before each axis, then after each), received 4",
    ),
    ({"x": (2, 8, 8, 8, 6), "w": (9, 3, 3, 6, 4)}, {}, "received one that covers 9 cells along the depth.*has 8"),
    (
        {"x": (2, 8, 8, 8, 6), "w": (3, 3, 3, 6, 4)},
        {"algorithm": "winograd", "strides": 2},
        'expected an algorithm that fits ("auto" does), received "winograd" for a kernel (3, 3, 3, 6, 4), strides',
    ),
]
WRONG_TRANSPOSED = [
    ({"x": (2, 4)}, {}, "expected images of shape (n, w, c).*received shape (2, 4)"),
    ({"x": (2, 8, 4)}, {}, "of one rank, (n, w, c) and (kw, oc / groups, c), received x of rank 3"),
    ({"x": (2, 8, 8, 5)}, {}, "expected x with 4 channels, the last size of the kernel, received 5"),
    ({"b": (4,)}, {}, "expected b with 6 values.*received 4"),
    ({}, {"groups": 3}, "expected input channels divisible by groups, received 4 channels and 3 groups"),
    ({}, {"strides": 2, "output_padding": 2}, "expected output_padding from 0 to 1.*received 2 along the height"),
    (
        {},
        {"strides": (3, 2), "output_padding": (2, 2)},
        "expected output_padding from 0 to 1.*received 2 along the width",
    ),
    ({}, {"output_padding": (0, -1)}, "expected output_padding of at least 0, received -1 along the width"),
    ({}, {"output_padding": (0, 0, 0)}, "expected output_padding as 1 or 2 values, received 3"),
    (
        {},
        {"padding": "explicit", "pads": (0, 5, 0, 5)},
        "expected pads that leave some output, received 10 along the width, where the windows cover 10 cells",
    ),
    ({}, {"algorithm": "rows", "dilation": (1, 2)}, "expected an algorithm that fits"),
    ({}, {"activation": "elu", "alpha": -1.0}, "expected a finite alpha"),
]


CALLS = [("conv", GOOD, *wrong) for wrong in WRONG]
CALLS += [("conv_transpose", GOOD | {"x": (2, 8, 8, 4), "b": (6,)}, *wrong) for wrong in WRONG_TRANSPOSED]


@pytest.mark.parametrize("op, good, shapes, attributes, message", CALLS, ids=[f"{c[0]}: {c[-1][:60]}" for c in CALLS])
def test_conv_names_what_was_expected_and_received(op, good, shapes, attributes, message):
    given = good | shapes
    with pytest.raises(ValueError) as error:
        _core.infer(op, [given["x"], given["w"], given["b"]], attributes, name="conv_7")
    text = str(error.value)
    assert text.startswith(f"conv_7 ({op}): "), text
    at = 0
    for part in message.split(".*"):
        assert part in text[at:], text
        at = text.index(part, at) + len(part)


def test_conv_passes_unknown_sizes_on():
    assert _core.infer("conv", [(None, None, None, 3), (3, 3, 3, 8), None], {}) == (None, None, None, 8)
    assert _core.infer("conv", [(None, 28, None, 3), (3, 3, 3, 8), (8,)], {"strides": 2}) == (None, 13, None, 8)

    assert _core.infer("conv", [(None, None, 3), (3, 3, 8), None], {"padding": "same"}) == (None, None, 8)
    assert _core.infer("conv", [(2, None, 9, 9, 3), (1, 3, 3, 3, 8), None], {}) == (2, None, 7, 7, 8)
    told = _core.infer("conv_transpose", [(None, None, 14, 3), (3, 3, 8, 3), None], {"strides": 2})
    assert told == (None, None, 29, 8)


def test_conv_takes_strides_and_padding_of_any_size():
    huge = 2**31 - 1
    assert _core.infer("conv", [(1, 9, 9, 1), (3, 3, 1, 1), None], {"strides": huge}) == (1, 1, 1, 1)
    attributes = {"padding": "explicit", "pads": [huge] * 4, "strides": huge}
    assert _core.infer("conv", [(1, 9, 9, 1), (3, 3, 1, 1), None], attributes) == (1, 3, 3, 1)
    with pytest.raises(ValueError, match="strides"):
        _core.infer("conv", [(1, 9, 9, 1), (3, 3, 1, 1), None], {"strides": 2**31})
