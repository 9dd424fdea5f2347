"""Dropout beyond the cases every op goes through: what the mask depends on, how many are dropped, wrong arguments."""

import numpy as np
import pytest
from reference.normalization import random_numbers

from cconv import _core

ONES = np.ones((50, 200), np.float32)


def plan(attributes, *, training=True, threads=1, skip=0, between=0, shape=(50, 200)):
    """A dropout node after `skip` others and `between` of other ops."""
    graph = _core.Graph()
    x = graph.input((None, *shape[1:]), name="x")
    for _ in range(skip):
        graph.add("dropout", [x], {"rate": 0.1})
    for _ in range(between):
        graph.add("relu", [x])
    y = graph.add("dropout", [x], attributes)
    made = _core.Plan(graph, [y], max_batch=shape[0], training=training, root=y, wrt=[x], threads=threads)
    return lambda x=ONES, **options: (made.run([x], **options)[0], made.gradient(1))


def test_known_answers_of_the_generator():
    """From the known-answer file of the generator's authors, Random123: a counter and a key of zeros."""
    bits = (random_numbers(4, 0, 0, 0) * 2**24).astype(np.uint32)
    assert bits.tolist() == [word >> 8 for word in (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_scale(rate):
    y, dx = plan({"rate": rate})(seed=3)
    kept = y != 0
    assert abs(kept.mean() - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / y.size)
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-6)
    assert np.array_equal(y, dx), "the backward pass draws another mask"


def test_what_the_mask_depends_on():
    run = plan({"rate": 0.5})
    first = run(seed=1, step=1)[0]
    assert np.array_equal(first, run(seed=1, step=1)[0])
    assert np.array_equal(first, plan({"rate": 0.5}, between=3)(seed=1, step=1)[0])
    others = [
        run(seed=2, step=1)[0],
        run(seed=1, step=2)[0],
        run(seed=1, step=1 + 2**32)[0],
        run(seed=1 + 2**32, step=1)[0],
        plan({"rate": 0.5}, skip=1)(seed=1, step=1)[0],
        plan({"rate": 0.5, "seed": 1})(seed=1, step=1)[0],
        plan({"rate": 0.5, "seed": -1})(seed=1, step=1)[0],
    ]
    for other in others:
        agreement = np.mean((first != 0) == (other != 0))
        assert abs(agreement - 0.5) < 0.03, "two masks that should have nothing in common do"


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_draw_the_same_mask(threads):
    for shape in ((50, 200), (1, 1023), (3, 5)):
        x = np.random.default_rng(0).random(shape).astype(np.float32)
        one, many = (plan({"rate": 0.3}, threads=t, shape=shape)(x, seed=9)[0] for t in (1, threads))
        assert np.array_equal(one, many)


def test_smaller_batch_draws_the_same_mask():
    run = plan({"rate": 0.3})
    assert np.array_equal(run(seed=4)[0][:7], run(ONES[:7], seed=4)[0])


def test_identity_outside_of_training():
    x = np.random.default_rng(0).random((50, 200)).astype(np.float32)
    y, dx = plan({"rate": 0.9}, training=False)(x)
    assert np.array_equal(y, x) and np.all(dx == 1)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0, float("nan")])
def test_wrong_rate(rate):
    with pytest.raises(ValueError, match="rate"):
        _core.infer("dropout", [(3,)], {"rate": rate}, name="drop")


def test_rate_must_be_given():
    with pytest.raises(ValueError, match="rate"):
        _core.infer("dropout", [(3,)])
