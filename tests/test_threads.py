"""One seed, one result: training gives the same bits for any number of threads."""

import numpy as np
import pytest
from op_harness import threads_allowed

from cconv import _core

IMAGES = np.random.default_rng(20).standard_normal((53, 11, 10, 3)).astype(np.float32)
LABELS = np.random.default_rng(21).integers(0, 10, 53)
BATCH = 16
OPTIMIZERS = {
    "sgd": {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "global_clipnorm": 1.0},
    "rmsprop": {"learning_rate": 0.002, "momentum": 0.5, "centered": True, "clipnorm": 1.0},
    "adam": {"learning_rate": 0.005, "amsgrad": True, "weight_decay": 0.01},
}


class Network:
    """Convolution, batch normalization, pooling, dropout, convolution by groups, pooling, dense; trained on IMAGES."""

    def __init__(self, optimizer, *, algorithm="auto", threads=0):
        rng = np.random.default_rng(22)
        self.graph = _core.Graph()
        self.trained, self.moving = [], []
        x = self.graph.input((None, 11, 10, 3), name="images")
        labels = self.graph.input((None,), name="labels", dtype="int32")
        convolution = {"padding": "same", "algorithm": algorithm}
        y = self.graph.add("conv", [x, self.weight(rng, 3, 3, 3, 24), self.weight(rng, 24)], convolution)
        statistics = [self.fixed(np.zeros(24)), self.fixed(np.ones(24))]
        y = self.graph.add(
            "batch_norm", [y, self.weight(rng, 24), self.weight(rng, 24), *statistics], {"training": True}
        )
        y = self.graph.add("max_pool", [y], {"pool_size": 3, "strides": 2, "padding": "same"})
        y = self.graph.add("dropout", [y], {"rate": 0.4})
        convolution |= {"groups": 4, "strides": 2, "activation": "elu", "alpha": 1.0}
        y = self.graph.add("conv", [y, self.weight(rng, 3, 3, 6, 20), self.weight(rng, 20)], convolution)
        y = self.graph.add("global_avg_pool", [y])
        y = self.graph.add("dense", [y, self.weight(rng, 20, 10), self.weight(rng, 10)])
        loss = self.graph.add("sparse_categorical_crossentropy", [labels, y], {"from_logits": True})
        self.optimizer = _core.Optimizer(optimizer, OPTIMIZERS[optimizer])
        self.plan = _core.Plan(
            self.graph,
            [loss],
            max_batch=BATCH,
            training=True,
            root=loss,
            wrt=[node for node, _ in self.trained],
            optimizer=self.optimizer,
            threads=threads,
        )

    def weight(self, rng, *shape):
        variable = _core.Variable(shape)
        variable.assign((rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32))
        self.trained.append((self.graph.variable(variable), variable))
        return self.trained[-1][0]

    def fixed(self, values):
        variable = _core.Variable(values.shape)
        variable.assign(values.astype(np.float32))
        self.moving.append(variable)
        return self.graph.variable(variable)

    def train(self, epochs=3, seed=7):
        """The losses of every sample of every step; the last batch of an epoch is smaller."""
        losses, step = [], 0
        order = np.random.default_rng(23)
        for _ in range(epochs):
            rows = order.permutation(len(IMAGES)).astype(np.int64)
            for begin in range(0, len(rows), BATCH):
                part = rows[begin : begin + BATCH]
                losses.append(self.plan.run([IMAGES, LABELS], rows=part, seed=seed, step=step)[0])
                step += 1
        return np.concatenate(losses)

    def values(self):
        """Weights, moving statistics, the optimizer's memory."""
        variables = [variable for _, variable in self.trained]
        slots = [slot for variable in variables for slot in self.optimizer.slots(variable).values()]
        return [variable.array.copy() for variable in [*variables, *self.moving, *slots]]


def same_bits(one, other):
    return len(one) == len(other) and all(a.tobytes() == b.tobytes() for a, b in zip(one, other))


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("algorithm", ["auto", "direct", "im2col"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_does_not_depend_on_the_threads(optimizer, algorithm):
    first = Network(optimizer, algorithm=algorithm, threads=1)
    losses = first.train()
    assert np.isfinite(losses).all() and losses[-53:].mean() < losses[:53].mean(), "not a test: it does not learn"
    for threads in (2, 3):
        other = Network(optimizer, algorithm=algorithm, threads=threads)
        assert other.train().tobytes() == losses.tobytes()
        assert same_bits(first.values(), other.values())


def test_threads_may_change_between_steps():
    """A plan made for three threads runs on as many as are allowed at the time."""
    steady = Network("adam", threads=1)
    with threads_allowed(3):
        changing = Network("adam", threads=3)
    for threads in (3, 1, 2, 3):
        steady.train(epochs=1)
        with threads_allowed(threads):
            changing.train(epochs=1)
    assert same_bits(changing.values(), steady.values())


def test_the_seed_decides():
    one, same, other = (Network("sgd") for _ in range(3))
    losses = [network.train(epochs=1, seed=seed) for network, seed in ((one, 1), (same, 1), (other, 2))]
    assert losses[0].tobytes() == losses[1].tobytes()
    assert losses[0].tobytes() != losses[2].tobytes()


def test_a_second_step_allocates_nothing():
    network = Network("adam")
    network.train(epochs=1)
    before = _core.allocations()
    network.train(epochs=2)
    assert _core.allocations() == before
