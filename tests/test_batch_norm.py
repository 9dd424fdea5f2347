"""Batch normalization beyond the cases every op goes through: moving averages, stability, what wrong arguments get."""

import numpy as np
import pytest
from op_harness import OneOp
from reference.normalization import batch_norm_moving

from cconv import _core


def plan(shape, attributes, *, training=True, backward=True, threads=1):
    """A plan over variables, and the moving ones."""
    graph = _core.Graph()
    c = shape[attributes.get("axis", -1)]
    x = graph.input((None, *shape[1:]), name="x")
    variables = [_core.Variable((c,)) for _ in range(4)]
    for variable, value in zip(variables, (1, 0, 0, 1)):
        variable.assign(np.full(c, value, np.float32))
    y = graph.add("batch_norm", [x, *(graph.variable(v) for v in variables)], {"training": True, **attributes})
    made = _core.Plan(
        graph,
        [y],
        max_batch=shape[0],
        training=training,
        root=y if backward else 0,
        wrt=[x] if backward else [],
        threads=threads,
    )
    return made, variables[2], variables[3]


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("shape, axis", [((6, 5, 4, 3), -1), ((6, 3, 5, 4), 1), ((40, 70), 1)])
def test_moving_averages(shape, axis, backward):
    made, mean, var = plan(shape, {"axis": axis, "momentum": 0.8}, backward=backward, threads=2)
    rng = np.random.default_rng(3)
    expected = mean.array.astype(np.float64), var.array.astype(np.float64)
    for step in range(4):
        x = (rng.standard_normal(shape) * (step + 1) + step).astype(np.float32)
        made.run([x], step=step)
        expected = batch_norm_moving(x.astype(np.float64), *expected, axis=axis, momentum=np.float32(0.8))
        np.testing.assert_allclose(mean.array, expected[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(var.array, expected[1], rtol=1e-5)


def test_smaller_batch_has_its_own_statistics():
    made, mean, var = plan((8, 3, 3, 4), {"momentum": 0.0})
    x = np.random.default_rng(5).standard_normal((8, 3, 3, 4)).astype(np.float32)
    made.run([x])
    y = made.run([x[:5]])[0]
    np.testing.assert_allclose(mean.array, x[:5].mean((0, 1, 2), dtype=np.float64), atol=1e-6)
    np.testing.assert_allclose(y.mean((0, 1, 2), dtype=np.float64), np.zeros(4), atol=1e-6)


def test_no_moving_averages_without_training():
    made, mean, var = plan((8, 4), {}, training=False)
    x = 5 + np.random.default_rng(5).standard_normal((8, 4)).astype(np.float32)
    y = made.run([x])[0]
    assert not mean.array.any() and np.all(var.array == 1)
    np.testing.assert_allclose(y, x / np.sqrt(1.001), rtol=1e-6)


def test_arrays_that_are_fed_are_not_written():
    """Moving statistics that are inputs, not variables, belong to the caller."""
    rng = np.random.default_rng(6)
    arrays = [rng.random((9, 4)).astype(np.float32), None, None, np.zeros(4, np.float32), np.ones(4, np.float32)]
    one = OneOp("batch_norm", arrays, {"training": True}, training=True, wrt=(0,))
    one.run(arrays, np.ones((9, 4), np.float32))
    assert not arrays[3].any() and np.all(arrays[4] == 1)


@pytest.mark.parametrize("shape, axis", [((64, 7, 7, 3), -1), ((64, 3, 7, 7), 1)])
def test_large_mean_small_variance(shape, axis):
    """Values 4096 + {0, 1/1024 steps}: exact in float32, while their squares are not even near."""
    steps = np.random.default_rng(7).integers(-8, 9, shape)
    x = (4096 + steps / 1024).astype(np.float32)
    assert np.array_equal(x.astype(np.float64), 4096 + steps / 1024)
    made, mean, var = plan(shape, {"axis": axis, "momentum": 0.0, "epsilon": 1e-9})
    y = made.run([x])[0]
    others = tuple(i for i in range(4) if i != axis % 4)
    centered = steps / 1024 - (steps / 1024).mean(others, keepdims=True)
    expected = centered / np.sqrt((centered**2).mean(others, keepdims=True) + 1e-9)
    np.testing.assert_allclose(y, expected, atol=2e-6)
    np.testing.assert_allclose(var.array, (centered**2).mean(others), rtol=1e-6)


def test_equal_values_and_single_elements_divide_by_no_zero():
    for shape in ((5, 3), (1, 3)):
        made, mean, var = plan(shape, {"momentum": 0.5})
        y = made.run([np.full(shape, 7, np.float32)])[0]
        assert not y.any() and not made.gradient(1).any()
        assert mean.array.tolist() == [3.5] * 3 and var.array.tolist() == [0.5] * 3


def test_images_without_cells_leave_the_averages():
    made, mean, var = plan((2, 0, 3, 4), {})
    made.run([np.zeros((2, 0, 3, 4), np.float32)])
    assert not mean.array.any() and np.all(var.array == 1)


def test_nan_stays_in_its_channel():
    made, mean, var = plan((4, 2, 2, 3), {})
    x = np.random.default_rng(8).random((4, 2, 2, 3)).astype(np.float32)
    x[1, 0, 1, 2] = np.nan
    y = made.run([x])[0]
    assert np.isnan(y[..., 2]).all() and np.isfinite(y[..., :2]).all()
    assert np.isnan(mean.array).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "shapes, attributes, message",
    [
        ([(4, 3), (4,), (3,), (3,), (3,)], {}, r"gamma of shape \(3,\), one number per channel, received shape \(4,\)"),
        ([(4, 3), (3,), (3, 1), (3,), (3,)], {}, r"beta of shape \(3,\)"),
        ([(4, 3), None, None, (4,), (3,)], {}, r"moving_mean of shape \(3,\)"),
        ([(4, 3), None, None, (3,), ()], {}, r"moving_var of shape \(3,\)"),
        ([(4, 3), None, None, (3,), (3,)], {"axis": 2}, r"an axis of x of shape \(4, 3\), received 2"),
        ([(4, 3), None, None, (3,), (3,)], {"axis": -3}, r"received -3"),
        ([(4, 3), None, None, (3,), (3,)], {"momentum": 1.5}, r"momentum in \[0, 1\], received 1.5"),
        ([(4, 3), None, None, (3,), (3,)], {"epsilon": -1e-3}, "epsilon of at least 0, received -0.001"),
        ([(4, 3), None, None, (3,), (3,)], {"epsilon": float("nan")}, "epsilon"),
        ([(4, 3), None, None, None, (3,)], {}, "moving_mean is missing"),
        (
            [(4, 3), None, None, (3,), (3,), (4, 2)],
            {},
            r"residual of the shape of x, \(4, 3\), received shape \(4, 2\)",
        ),
        ([(4, 3), None, None, (3,), (3,)], {"activation": "tanh"}, "activation"),
    ],
)
def test_wrong_arguments(shapes, attributes, message):
    with pytest.raises(ValueError, match=message) as caught:
        _core.infer("batch_norm", shapes, attributes, name="bn")
    assert str(caught.value).startswith("bn (batch_norm): ")


def test_unknown_channels_are_passed_on():
    assert _core.infer("batch_norm", [(None, None), None, None, (3,), (3,)]) == (None, None)
