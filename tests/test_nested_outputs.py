"""What is given for the outputs of a model, as they nest and with holes; what a compiled model says of its metrics."""

import numpy as np
import pytest

import cconv
from cconv import metrics
from cconv.data import by_output, deal, named

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(8, 4)).astype(np.float32)
A, B, C = RANDOM.normal(size=(8, 1)), RANDOM.normal(size=(8, 2)), RANDOM.normal(size=(8, 3))
DEEP = {"a": "a", "z": ["z/b", "z/c"]}


def test_names_of_outputs():
    assert named(0, ["dense"]) == "dense"
    assert named([0, 0], ["a", "b"]) == ["a", "b"]
    assert named({"q": 0, "p": 0}, ["a", "b"]) == {"q": "q", "p": "p"}
    assert named({"a": 0, "z": (0, 0)}, ["a", "b", "c"]) == DEEP
    assert named([0, {"u": 0, "v": [0]}], ["a", "b", "c"]) == ["a", {"u": "1/u", "v": ["1/v/c"]}]


def test_dealing():
    assert deal("loss", "mse", DEEP) == ["mse"] * 3
    assert deal("loss", None, DEEP) == [None] * 3
    assert deal("loss", ["x", None, "y"], DEEP) == ["x", None, "y"]
    assert deal("loss", {"z": [None, "y"]}, DEEP) == [None, None, "y"]
    assert deal("loss", {"b": "x"}, ["a", ["1/b", "1/c"]]) == [None, "x", None]
    with pytest.raises(KeyError, match=r"names of outputs \['a', 'z'\] as keys"):
        deal("loss", {"b": "x"}, DEEP)
    for wrong in (["x"], {"a": "x", "z": "y"}, {"z": ["x"]}, {"z": {"b": "x", "d": "y"}}):
        with pytest.raises(ValueError, match="each of the 3 outputs .* or as they nest"):
            deal("loss", wrong, DEEP)


def test_labels_with_holes():
    assert list(by_output([None, B], ["a", "b"], None)) == ["b"]
    assert list(by_output(A, ["a", "b"], [True, False])) == ["a"]
    assert list(by_output({"a": A, "z": [None, C]}, DEEP, None)) == ["a", "z/c"]
    assert by_output(A, ["a", "b"], [True, True]) is A


class Outputs(cconv.Model):
    """Returns a dictionary whose keys are not in order."""

    def __init__(self):
        super().__init__()
        self.one, self.two = cconv.layers.Dense(1), cconv.layers.Dense(2)

    def call(self, x):
        return {"z": self.one(x), "a": self.two(x)}


def test_a_dictionary_of_outputs_goes_by_its_keys_whatever_their_order():
    model = Outputs()
    model.compile("sgd", {"z": "mse", "a": "mae"})
    logs = model.evaluate(X, {"a": B, "z": A}, verbose=0, return_dict=True)
    outputs = model.predict(X, verbose=0)
    assert logs["z_loss"] == pytest.approx(np.mean((outputs["z"] - A) ** 2), rel=1e-5)
    assert logs["a_loss"] == pytest.approx(np.mean(np.abs(outputs["a"] - B)), rel=1e-5)


def test_a_hole_first():
    x = cconv.Input((4,))
    model = cconv.Model(x, [cconv.layers.Dense(1)(x), cconv.layers.Dense(2)(x)])
    model.compile("sgd", [None, "mse"])
    expected = np.mean((model.predict(X, verbose=0)[1] - B) ** 2)
    for y in ([None, B], [B], B):
        assert model.evaluate(X, y, verbose=0) == pytest.approx(expected, rel=1e-5)


# ---- Compiled models


def dense(**arguments):
    model = cconv.Sequential([cconv.Input((4,)), cconv.layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


def test_without_an_optimizer_a_model_evaluates(tmp_path):
    model = dense(optimizer=None, metrics=["mae"])
    reference = dense(metrics=["mae"])
    reference.set_weights(model.get_weights())
    assert model.optimizer is None and model.compiled
    assert model.evaluate(X, A, verbose=0) == reference.evaluate(X, A, verbose=0)
    assert model.test_on_batch(X, A) == reference.test_on_batch(X, A)
    for method in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="needs an optimizer"):
            method(X, A)
    model.save(tmp_path / "model.keras")
    loaded = cconv.models.load_model(tmp_path / "model.keras")
    assert loaded.optimizer is None
    assert loaded.evaluate(X, A, verbose=0) == model.evaluate(X, A, verbose=0)


def test_metrics_are_there_after_compile():
    mae = metrics.MeanAbsoluteError()
    model = dense(metrics=["accuracy", mae], weighted_metrics=["mse"])
    before = model.metrics
    assert [m.name for m in before] == ["loss", "accuracy", "mean_absolute_error", "mse"] and before[2] is mae
    assert model.metrics_names == ["loss", "accuracy", "mean_absolute_error", "mse"]
    model.fit(X, A, verbose=0)
    assert all(a is b for a, b in zip(before, model.metrics, strict=True))
    assert mae.result() == model.get_metrics_result()["mean_absolute_error"] != 0
    assert [m.name for m in dense().metrics] == ["loss"]


def test_metrics_of_a_model_whose_outputs_are_not_known():
    model = Outputs()
    assert model.metrics == []
    model.compile("sgd", "mse", metrics={"a": ["mae", None], "z": "mse"})
    before = model.metrics
    assert sorted(m.name for m in before) == ["loss", "mae", "mse"]
    model.evaluate(X, {"a": B, "z": A}, verbose=0)
    assert {id(m) for m in before} == {id(m) for m in model.metrics}


@pytest.mark.parametrize("name", ["accuracy", "acc", "crossentropy", "ce"])
@pytest.mark.parametrize(
    ("y", "p", "variant"),
    [
        (np.array([[0.0], [1.0]]), np.array([[0.2], [0.3]]), "binary"),
        (np.array([0, 2]), np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]), "sparse_categorical"),
        (np.eye(3)[[0, 2]], np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]), "categorical"),
    ],
)
def test_what_accuracy_and_crossentropy_stand_for(name, y, p, variant):
    x = cconv.Input(p.shape[1:])
    model = cconv.Model(x, cconv.layers.Identity()(x))
    model.compile("sgd", f"{variant}_crossentropy", metrics=[name])
    kind = "accuracy" if name.startswith("acc") else "crossentropy"
    expected = np.mean(getattr(metrics, f"{variant}_{kind}")(y, p))
    assert model.evaluate(p, y, verbose=0, return_dict=True)[name] == pytest.approx(expected, rel=1e-6)


class Holder(cconv.Model):
    def __init__(self):
        super().__init__()
        self.dense = cconv.layers.Dense(1)
        self.seen = metrics.Mean("seen")
        self.more = [metrics.Sum("more"), {"inner": self.seen}]
        self.dense.own = metrics.Mean("own")

    def call(self, x):
        return self.dense(x)


def test_metrics_that_a_model_holds_are_listed_and_reset():
    model = Holder()
    assert [m.name for m in model.metrics] == ["seen", "more", "own"]
    model.compile("sgd", "mse", metrics=["mae"])
    assert [m.name for m in model.metrics] == ["loss", "mae", "seen", "more", "own"]
    model.seen.update_state(3.0)
    model.dense.own.update_state(2.0)
    model.reset_metrics()
    assert model.seen.result() == model.dense.own.result() == 0.0
    model.seen.update_state(3.0)
    model.evaluate(X, A, verbose=0)
    assert model.seen.result() == 0.0
