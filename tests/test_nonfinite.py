"""A NaN, an infinity or a number near the largest stays where it belongs: in what is computed from it.

Every op is held to its float64 reference with a NaN in one element, every algorithm of convolution to `direct`.
"""

import numpy as np
import pytest
from cases import all_cases
from op_harness import OneOp, Reference, input_dtypes

import cconv
from cconv import _core, config

CASES = all_cases()
LARGEST = float(np.finfo(np.float32).max)
VALUES = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "near the largest": 3e38, "large": -1e30}


def kinds(array):
    """What each number is: 0 finite, 1 infinite, -1 minus infinite, 2 NaN; beyond float32 is infinite."""
    array = np.asarray(array, np.float64)
    beyond = np.where(np.abs(array) > LARGEST, np.sign(array), 0)
    return np.where(np.isnan(array), 2, beyond)


def passes(x, w, dy, attributes, b=None, r=None, **options):
    """y, dx and dw of a convolution."""
    inputs = [x, w, b, r][: 4 if r is not None else 3]
    wrt = () if dy is None else (0, 1)
    result = OneOp("conv", inputs, attributes, wrt=wrt, **options).run(inputs, dy)
    return [result.y, *result.gradients.values()]


def same_kinds_and_near(actual, expected):
    assert np.array_equal(kinds(actual), kinds(expected))
    finite = kinds(expected) == 0
    actual, expected = actual[finite].astype(np.float64), expected[finite].astype(np.float64)
    assert np.all(np.abs(actual - expected) <= 2e-3 * np.abs(expected) + 2e-3)


# ---- Winograd's algorithm


def test_one_pixel_reaches_its_nine_neighbours():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, 24, 24, 32)).astype(np.float32)
    w = rng.standard_normal((3, 3, 32, 32)).astype(np.float32)
    x[0, 12, 12, 5] = np.nan
    y = cconv.ops.conv(x, w, padding="same")
    assert np.isnan(y).all(-1).sum() == np.isnan(y).any(-1).sum() == 9
    graph = _core.Graph()
    node = graph.add("conv", [graph.input(x.shape), graph.input(w.shape), 0], {"padding": "same"})
    assert "winograd" in _core.Plan(graph, [node]).describe(), "or it is no test"


SHAPES = [
    ((2, 12, 13, 32), 3, 24, "same"),
    ((2, 12, 13, 32), 3, 24, "valid"),
    ((1, 5, 4, 20), 3, 33, "valid"),
    ((3, 2, 2, 64), 3, 40, "same"),
    ((2, 9, 9, 3), 3, 5, "same"),
    ((1, 7, 21, 1), 3, 1, "same"),
    ((2, 10, 11, 20), 5, 33, "same"),
    ((1, 8, 9, 17), 5, 9, "valid"),
    ((2, 1, 3, 5), 5, 3, "same"),
]


@pytest.mark.parametrize("place", ["x", "w", "dy"])
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(("shape", "side", "filters", "padding"), SHAPES, ids=str)
def test_winograd_is_what_a_direct_sum_is(shape, side, filters, padding, name, place):
    rng = np.random.default_rng(sum(shape))
    rows, columns = (size - (side - 1 if padding == "valid" else 0) for size in shape[1:3])
    arrays = {
        "x": rng.standard_normal(shape).astype(np.float32),
        "w": rng.standard_normal((side, side, shape[3], filters)).astype(np.float32),
        "dy": rng.standard_normal((shape[0], rows, columns, filters)).astype(np.float32),
    }
    array = arrays[place]
    array.flat[rng.integers(array.size)] = VALUES[name]
    found = [
        passes(**arrays, attributes={"padding": padding, "algorithm": algorithm}, threads=2)
        for algorithm in ("winograd", "direct")
    ]
    for actual, expected in zip(*found, strict=True):
        same_kinds_and_near(actual, expected)


@pytest.mark.parametrize("tap", range(25))
def test_a_large_weight_that_meets_zeros_only(tap):
    """Its terms cancel in all outputs of a tile, maybe to the last bit: what they have buried is not lost."""
    rng = np.random.default_rng(tap)
    x, w, dy = (rng.standard_normal(s).astype(np.float32) for s in ((1, 8, 9, 17), (5, 5, 17, 9), (1, 4, 5, 9)))
    w[tap // 5, tap % 5, 3, 4] = 3e38
    x[x < 0.5] = 0
    found = [passes(x, w, dy, {"algorithm": algorithm}) for algorithm in ("winograd", "direct")]
    for actual, expected in zip(*found, strict=True):
        same_kinds_and_near(actual, expected)


@pytest.mark.parametrize("activation", ["linear", "relu", "relu6", "tanh"])
@pytest.mark.parametrize("name", ["nan", "-inf", "near the largest"])
def test_with_bias_residual_and_activation(name, activation):
    rng = np.random.default_rng(3)
    x, w, b, r = (
        rng.standard_normal(s).astype(np.float32) for s in ((2, 9, 10, 18), (3, 3, 18, 20), (20,), (2, 9, 10, 20))
    )
    x[1, 4, 4, 7] = VALUES[name]
    r[0, 0, 0, 0] = np.nan
    attributes = {"padding": "same", "activation": activation}
    found = [passes(x, w, None, {**attributes, "algorithm": a}, b, r) for a in ("winograd", "direct")]
    same_kinds_and_near(found[0][0], found[1][0])


@pytest.mark.parametrize("name", ["nan", "inf", "near the largest"])
@pytest.mark.parametrize("op", ["conv", "conv_transpose"])
def test_volumes_and_transposed_convolutions(op, name):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((1, 6, 9, 10, 17)).astype(np.float32)
    w = rng.standard_normal((3, 3, 3, 17, 17)).astype(np.float32)
    x[0, 2, 5, 5, 3] = VALUES[name]
    found = []
    for algorithm in ("winograd", "direct"):
        one = OneOp(op, [x, w, None], {"padding": "same", "algorithm": algorithm}, wrt=(0, 1))
        result = one.run([x, w, None], np.ones(x.shape, np.float32))
        found.append([result.y, result.gradients[0], result.gradients[1]])
    for actual, expected in zip(*found, strict=True):
        same_kinds_and_near(actual, expected)


def test_weights_packed_in_every_run_or_once_or_on_the_fly():
    """Tiles are computed anew from the weights themselves, which are there beside the packed ones."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 7, 7, 64)).astype(np.float32)
    w = rng.standard_normal((3, 3, 64, 256)).astype(np.float32)
    x[0, 3, 3, 9] = np.nan
    attributes = {"padding": "same", "algorithm": "winograd"}
    expected = passes(x, w, None, {**attributes, "algorithm": "direct"})[0]
    for options in ({}, {"variables": (1,)}, {"variables": (1,), "wrt": (1,), "training": True}):
        one = OneOp("conv", [x, w, None], attributes, **options)
        for _ in range(2):
            dy = np.ones((1, 7, 7, 256), np.float32) if "wrt" in options else None
            same_kinds_and_near(one.run([x, w, None], dy).y, expected)


def test_folded_weights_stay_in_memory():
    """For inference a batch normalization goes into the weights, which are constant: later runs pack nothing."""
    model = cconv.Sequential(
        [
            cconv.layers.Input((20, 20, 32)),
            cconv.layers.Conv2D(32, 3, padding="same"),
            cconv.layers.BatchNormalization(),
            cconv.layers.Conv2D(32, 3, padding="same"),
            cconv.layers.BatchNormalization(),
        ]
    )
    rng = np.random.default_rng(6)
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape).astype(np.float32))
    x = rng.standard_normal((2, 20, 20, 32)).astype(np.float32)
    x[0, 10, 10, 4] = 1e30
    first = [model.predict(x, verbose=0) for _ in range(3)]
    config.disable_winograd()
    try:
        plain = cconv.Sequential.from_config(model.get_config())
        plain.set_weights(model.get_weights())
        expected = plain.predict(x, verbose=0)
    finally:
        config.enable_winograd()
    for y in first:
        same_kinds_and_near(y, expected)


def test_the_check_can_be_switched_off_and_changes_no_bit_of_what_is_finite():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((2, 17, 18, 33)).astype(np.float32)
    w = rng.standard_normal((3, 3, 33, 34)).astype(np.float32)
    dy = rng.standard_normal((2, 17, 18, 34)).astype(np.float32)
    attributes = {"padding": "same", "algorithm": "winograd"}
    assert config.is_nonfinite_check_enabled()
    checked = passes(x, w, dy, attributes)
    x[0, 8, 8, 0] = np.nan
    held = np.isnan(passes(x, w, dy, attributes)[0]).any(-1).sum()
    config.disable_nonfinite_check()
    try:
        assert not config.is_nonfinite_check_enabled()
        spread = np.isnan(passes(x, w, dy, attributes)[0]).any(-1).sum()
        x[0, 8, 8, 0] = 0
        unchecked = passes(x, w, dy, attributes)
    finally:
        config.enable_nonfinite_check()
    x[0, 8, 8, 0] = 0
    checked = passes(x, w, dy, attributes)
    assert held == 9
    assert spread > 9
    for one, other in zip(checked, unchecked, strict=True):
        assert np.array_equal(one, other)


def test_a_run_in_which_everything_is_nan_depends_on_no_thread():
    x, w = np.full((2, 9, 9, 20), np.nan, np.float32), np.full((3, 3, 20, 24), np.nan, np.float32)
    for threads in (1, 2):
        found = passes(x, w, np.full((2, 9, 9, 24), np.nan, np.float32), {"padding": "same"}, threads=threads)
        assert all(np.isnan(array).all() for array in found)


# ---- Every op


def small_cases(op):
    """The smallest cases; of convolutions some for each algorithm and number of axes."""
    cases = sorted(
        CASES[op], key=lambda case: sum(np.prod(shape, dtype=int) for shape in case.inputs if shape is not None)
    )
    found, counts = [], {}
    for case in cases:
        kind = (
            (case.attributes.get("algorithm"), len(case.inputs[0] or ()))
            if op.startswith("conv")
            else case.attributes.get("activation")
        )
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= (3 if op.startswith("conv") else 6):
            found.append(case)
    return found


def padded(case):
    """Whether zeros around an image may meet a NaN of the weights: whether they do is up to the algorithm."""
    return case.attributes.get("padding", "valid") != "valid" or "pads" in case.attributes


@pytest.mark.parametrize(
    "op", [op for op in CASES if "float32" in input_dtypes(op, 1) and op != "random" or op == "where"]
)
def test_a_nan_in_one_element_is_where_the_reference_has_it(op):
    checked = 0
    for case in small_cases(op):
        dtypes = input_dtypes(op, len(case.inputs))
        for i, array in enumerate(case.arrays()):
            if array is None or array.size == 0 or dtypes[i] != "float32":
                continue
            if i == 1 and (op == "conv_transpose" or (op == "conv" and padded(case))):
                continue
            arrays = case.arrays()
            arrays[i].flat[array.size // 2] = np.nan
            with np.errstate(all="ignore"):
                expected = np.isnan(Reference(op, case).forward(arrays))
            found = np.isnan(OneOp(op, arrays, case.attributes, training=case.training).run(arrays).y)
            # what dropout drops is 0, whatever it was
            agrees = not np.any(found & ~expected) if op == "dropout" else np.array_equal(found, expected)
            assert agrees, f"case {case.id!r}, input {i}: NaN in {found.sum()} numbers, expected {expected.sum()}"
            checked += 1
    assert checked
