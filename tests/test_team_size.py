"""How many threads a run takes: no more than there are processors that no other run of the process uses."""

import os
import subprocess
import sys

import numpy as np
import pytest

import cconv
from cconv import layers

PROGRAM = """
import os, threading
import numpy as np, cconv
from cconv import layers

def model():
    return cconv.Sequential([cconv.Input((24, 24, 8)), layers.Conv2D(32, 3), layers.ReLU(), layers.Conv2D(16, 3)])

def threads():
    return len(os.listdir("/proc/self/task"))

cconv.set_num_threads(6 * os.cpu_count())
x = np.ones((8, 24, 24, 8), "float32")
before = threads()
model().predict_on_batch(x)
print(threads() - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts its threads where Linux lists them")
@pytest.mark.parametrize("oversubscribe", [False, True])
def test_more_threads_than_processors_are_not_started(oversubscribe):
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "CCONV_OVERSUBSCRIBE")}
    if oversubscribe:
        environment["CCONV_OVERSUBSCRIBE"] = "1"
    ran = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    started = int(ran.stdout)
    if oversubscribe:
        assert started == 6 * os.cpu_count() - 1
    else:
        assert started < os.cpu_count()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_large_steps_have_the_same_bits_for_any_team(threads):
    """Large enough for shares to be taken in parts."""
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 40, 40, 8), np.float32), rng.integers(0, 5, 24)

    def trained(n):
        before = cconv.get_num_threads()
        cconv.set_num_threads(n)
        try:
            cconv.utils.set_random_seed(1)
            model = cconv.Sequential(
                [
                    cconv.Input((40, 40, 8)),
                    layers.Conv2D(64, 3, padding="same", activation="relu"),
                    layers.Conv2D(64, 3, padding="same"),
                    layers.BatchNormalization(),
                    layers.DepthwiseConv2D(3, padding="same"),
                    layers.Conv2D(64, 5, strides=2, activation="relu"),
                    layers.Conv2D(64, 3, groups=16),
                    layers.Flatten(),
                    layers.Dense(64, activation="relu"),
                    layers.Dense(5),
                ]
            )
            model.compile("adam", cconv.losses.SparseCategoricalCrossentropy(from_logits=True))
            for _ in range(2):
                model.train_on_batch(x, y)
            return [*model.get_weights(), model.predict_on_batch(x)]
        finally:
            cconv.set_num_threads(before)

    for one, other in zip(trained(1), trained(threads), strict=True):
        np.testing.assert_array_equal(one, other)
