"""The optimizer's step within the backward pass: the same numbers as after it, less memory."""

import numpy as np
import pytest

import cconv
from cconv import _core

SIDE = 1500  # two matrices of this side make the gradients large enough: 18 MB

RULES = {
    "sgd": ("sgd", {}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("rmsprop", {}),
    "rmsprop centered": ("rmsprop", {"centered": True, "momentum": 0.5}),
    "adam": ("adam", {}),
    "amsgrad": ("adam", {"amsgrad": True}),
    "weight decay": ("adam", {"weight_decay": 0.1}),
    "clipvalue": ("sgd", {"clipvalue": 1e-4, "momentum": 0.9}),
    "clipnorm": ("sgd", {"clipnorm": 1e-3, "momentum": 0.9}),
    "global_clipnorm": ("sgd", {"global_clipnorm": 1e-3, "momentum": 0.9}),
}


class Net:
    """A chain of dense layers, of which one variable may have several readers, and its plan."""

    def __init__(self, rule, kind, keep, threads=0):
        rng = np.random.default_rng(5)
        name, settings = RULES[rule]
        self.optimizer = _core.Optimizer(name, {"learning_rate": 0.01, **settings})
        graph = _core.Graph()
        x = graph.input((None, SIDE))
        self.variables, nodes = [], []

        def variable(*shape):
            made = _core.Variable(shape)
            made.assign((rng.standard_normal(shape) * SIDE**-0.5).astype(np.float32))
            self.variables.append(made)
            nodes.append(graph.variable(made))
            return nodes[-1]

        w1, w2, w3 = variable(SIDE, SIDE), variable(SIDE, SIDE), variable(SIDE, 3)
        b1, b2 = variable(SIDE), variable(SIDE)
        y = graph.add("dense", [x, w1, b1], {"activation": "relu"})
        if kind == "shared":  # two layers with the same weights
            y = graph.add("dense", [y, w1, b2], {"activation": "tanh"})
        y = graph.add("dense", [y, w2, b2], {"activation": "sigmoid"})
        if kind == "penalty":  # read by an op of another kind, whose step is the first of the backward pass
            y = graph.add("add", [y, graph.add("mean", [graph.add("multiply", [w2, w2])])])
        if kind == "late":  # read again at the very end of the backward pass
            z = graph.add("dense", [x, w2])
            y = graph.add("add", [y, graph.add("relu", [z])])
        outputs = [graph.add("mean", [graph.add("square", [graph.add("dense", [y, w3])])])]
        if kind == "seen":  # the caller gets a value made from a variable
            outputs.append(graph.add("sum", [graph.add("abs", [w2])]))
        self.plan = _core.Plan(
            graph,
            outputs,
            max_batch=6,
            training=True,
            root=outputs[0],
            wrt=nodes,
            optimizer=self.optimizer,
            threads=threads,
            keep_gradients=keep,
        )
        self.nodes = nodes

    def train(self, steps=4):
        rng = np.random.default_rng(6)
        seen = []
        for step in range(steps):
            x = rng.standard_normal((6, SIDE)).astype(np.float32)
            seen += self.plan.run([x], n=6 if step % 2 else 5)
        slots = [slot for v in self.variables for slot in self.optimizer.slots(v).values()]
        return [np.array(v.array) for v in (*self.variables, *slots)] + [np.array(values) for values in seen]


KINDS = ["shared", "penalty", "late", "seen"]
PAIRS = [("plain", rule) for rule in RULES] + [(kind, rule) for kind in KINDS for rule in ("momentum", "clipnorm")]


@pytest.mark.parametrize("kind,rule", PAIRS)
def test_the_same_bits_as_after_the_backward_pass(kind, rule):
    kept, early = Net(rule, kind, True), Net(rule, kind, False)
    for expected, found in zip(kept.train(), early.train(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_less_memory():
    kept, early = Net("sgd", "plain", True), Net("sgd", "plain", False)
    matrix = 4 * SIDE**2  # bytes
    assert early.plan.bytes < matrix // 2
    assert kept.plan.bytes > 2 * matrix
    assert matrix < Net("clipnorm", "plain", False).plan.bytes < 2 * matrix  # whole gradients, one at a time
    assert Net("global_clipnorm", "plain", False).plan.bytes > 2 * matrix


def test_any_number_of_threads():
    results = [Net("momentum", "plain", False, threads).train() for threads in (1, 2, 3)]
    for other in results[1:]:
        for expected, found in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_gradients_are_there_only_if_they_are_kept():
    kept, early = Net("sgd", "plain", True), Net("sgd", "plain", False)
    kept.train(1), early.train(1)
    assert kept.plan.gradient(kept.nodes[0]).any()
    with pytest.raises(ValueError, match="keep_gradients"):
        early.plan.gradient(early.nodes[0])


def test_clipping_turned_on_later_is_refused_by_the_plan_not_by_the_model():
    early = Net("momentum", "plain", False)
    early.train(1)
    before = [np.array(v.array) for v in early.variables]
    early.optimizer.set(global_clipnorm=1.0)
    with pytest.raises(ValueError, match="after the plan was made"):
        early.train(1)
    for variable, values in zip(early.variables, before):
        np.testing.assert_array_equal(variable.array, values)

    x, y = np.random.default_rng(0).standard_normal((4, 2100)).astype(np.float32), np.zeros((4, 2100), np.float32)
    results = []
    for clips in ({"clipnorm": 1e-3}, {"global_clipnorm": 1e-3}):
        for later in (False, True):
            cconv.utils.set_random_seed(3)
            hidden = cconv.layers.Dense(2100, activation="tanh")
            model = cconv.Sequential([cconv.Input((2100,)), hidden, cconv.layers.Dense(3)])
            model.compile(cconv.optimizers.SGD(0.1, momentum=0.9, **({} if later else clips)), "mse")
            if later:
                model.optimizer.learning_rate = 0.0
                model.train_on_batch(x, y[:, :3])
                model.optimizer.learning_rate = 0.1
                for name, value in clips.items():
                    setattr(model.optimizer, name, value)
                for slot in model.optimizer.variables[2:]:
                    slot.assign(np.zeros(slot.shape, np.float32))
            for _ in range(2):
                model.train_on_batch(x, y[:, :3])
            results.append(model.get_weights())
        for expected, found in zip(*results[-2:], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_an_interrupted_step_changes_no_variable():
    # Slow enough for a run to ask: the updates of the last layers come early in the backward pass.
    import signal

    if not hasattr(signal, "setitimer"):
        pytest.skip("needs setitimer")

    def stop(number, frame):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, stop)
    try:
        for delay in (0.002, 0.06, 0.09, 0.12, 0.2):
            net, steps = Net("momentum", "plain", False), 0
            reference = Net("momentum", "plain", False)
            x = np.random.default_rng(1).standard_normal((6, SIDE)).astype(np.float32)
            signal.setitimer(signal.ITIMER_REAL, delay)
            with pytest.raises(KeyboardInterrupt):
                while True:
                    net.plan.run([x], n=6)
                    steps += 1
            steps = net.optimizer.iterations
            for _ in range(steps):
                reference.plan.run([x], n=6)
            for a, b in zip(net.variables, reference.variables):
                np.testing.assert_array_equal(a.array, b.array)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
