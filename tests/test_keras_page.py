"""docs/keras.md, "Coming from Keras": its programs run, what it says is refused is, and what it says differs does."""

import re
from pathlib import Path

import numpy as np
import pytest

import cconv
from cconv import layers, ops

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "keras.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def a_model():
    model = cconv.Sequential([cconv.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_the_programs_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    assert len(PROGRAMS) == 2
    exec(PROGRAMS[0], names)
    assert len(names["history"].history["mae"]) == 5 and Path("model.keras").exists()
    exec(PROGRAMS[1], names)
    assert len(names["model"].history.history["loss"]) == 2


def second_gradient():
    x = cconv.Variable(2.0)
    with cconv.GradientTape() as outer:
        with cconv.GradientTape() as inner:
            y = x * x * x
        gradient = inner.gradient(y, x)
    return outer.gradient(gradient, x)


class InCall(layers.Layer):
    """A layer whose call does what it is given."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def call(self, x):
        return self.what(self, x)


def tape_in_call(layer, x):
    with cconv.GradientTape():
        return x * 2


REFUSED = {
    "a graphics card": (ValueError, "CPU only", lambda: cconv.device("gpu:0").__enter__()),
    "mixed precision": (ValueError, "float32", lambda: cconv.config.set_dtype_policy("mixed_float16")),
    "large integers": (ValueError, "int32", lambda: ops.convert_to_tensor(np.array([2**40]))),
    "recurrent layers": (AttributeError, "recurrent layers are out of its scope", lambda: layers.LSTM),
    "numbers in call": (TypeError, "no value", lambda: InCall(lambda layer, x: x * float(ops.sum(x)))(np.ones((1, 2)))),
    "a tape in call": (NotImplementedError, "GradientTape", lambda: InCall(tape_in_call)(np.ones((1, 2)))),
    "second gradients": (NotImplementedError, "Gradients of gradients", second_gradient),
    "flash attention": (NotImplementedError, "flash", lambda: layers.MultiHeadAttention(2, 2, flash_attention=True)),
    "no such vector": (ValueError, "received 3", lambda: layers.Embedding(3, 2)(np.array([3]))),
    "diagonals": (NotImplementedError, "diagonals", lambda: ops.einsum("ii->i", np.eye(3))),
    "the batch multiplied": (ValueError, "axes=0", lambda: layers.Dot(axes=0)([np.ones((2, 3)), np.ones((2, 3))])),
    "inverses in models": (NotImplementedError, "arrays only", lambda: ops.linalg.inv(cconv.Input((3, 3)))),
    "open loops": (
        NotImplementedError,
        "maximum_iterations",
        lambda: ops.while_loop(lambda x: ops.sum(x) < 3, lambda x: x + 1, [cconv.Input((3,))]),
    ),
    "bools of a model": (TypeError, "known bools", lambda: (lambda x: x[x > 0])(cconv.Input((3,)))),
    "empty tensors": (ValueError, "size of 0", lambda: ops.reshape(cconv.Input((4,)), (-1, 0))),
    "large ranges": (
        ValueError,
        r"2\*\*24",
        lambda: InCall(lambda layer, x: x + cconv.random.randint((2,), 0, 2**25))(cconv.Input((2,))),
    ),
    "profiles": (NotImplementedError, "profile_batch", lambda: cconv.callbacks.TensorBoard(profile_batch=2)),
    "code in files": (
        ValueError,
        "Lambda",
        lambda: cconv.Sequential([cconv.Input((2,)), layers.Lambda(lambda x: x * 2)]).save("model.keras"),
    ),
    "open files": (ValueError, "one file", lambda: a_model().save("model.keras", zipped=False)),
    "shards": (ValueError, "one file", lambda: a_model().save_weights("a.weights.h5", max_shard_size=1)),
    "export": (NotImplementedError, "exported", lambda: a_model().export("model")),
    "compiled functions": (NotImplementedError, "train_step", lambda: a_model().make_train_function()),
    "boxes of distorted images": (
        NotImplementedError,
        "bounding boxes",
        lambda: layers.RandomElasticTransform(bounding_box_format="xyxy")(
            {
                "images": np.ones((1, 8, 8, 3)),
                "bounding_boxes": {"boxes": np.ones((1, 1, 4)), "labels": np.ones((1, 1))},
            },
            training=True,
        ),
    ),
    "quantization": (NotImplementedError, "quantized", lambda: a_model().quantize("int8")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_a_sentence(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error, words, use = REFUSED[what]
    with pytest.raises(error, match=words):
        use()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_keras_machinery_are_absent():
    named = ["symbolic_call", "compute_output_spec", "rematerialized_call", "zero_grad"]
    assert [name for name in named if hasattr(a_model(), name)] == []
    assert [name for name in ("interleave", "window", "padded_batch") if hasattr(cconv.data.Dataset, name)] == []
    assert not hasattr(cconv.GradientTape, "jacobian")


def test_results_are_arrays_of_three_types():
    model, x = a_model(), np.ones((2, 3), np.float64)
    for result in model.predict(x, verbose=0), model(x), ops.add(x, 1), cconv.random.normal((2,)):
        assert type(result) is np.ndarray and result.dtype == np.float32
    assert ops.argmax(x).dtype == np.int32 and ops.less(x, 2).dtype == np.bool_


def test_one_plan_serves_smaller_batches():
    model = a_model()
    model.fit(np.ones((70, 3)), np.ones(70), batch_size=32, verbose=0)
    assert re.findall(r"^batch (\d+)", model.describe_plans(), re.MULTILINE) == ["32"]


def test_limits_of_activations():
    for function in "silu", "gelu", "mish", "hard_silu":
        assert getattr(cconv.activations, function)(np.array([-np.inf]))[0] == 0
    assert np.sum(cconv.activations.sparsemax(np.array([[1.0, 2.0, 3.0]]))) == 1
    assert ops.floor_divide(np.array([1]), np.array([0])) == 0


def test_what_is_of_arrays_only_lets_no_gradient_pass():
    v = cconv.Variable(np.eye(2))
    with cconv.GradientTape() as tape:
        y = ops.sum(ops.linalg.inv(v * 2.0)) * ops.sum(v * 0.5)
    assert float(y) == 1 and tape.gradient(y, v).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_masks_count_in_losses_and_means():
    model = cconv.Sequential([cconv.Input((3, 2)), layers.Masking(), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mse", cconv.metrics.RootMeanSquaredError(name="rmse")])
    x = np.ones((1, 3, 2), np.float32)
    x[0, 2] = 0
    result = model.evaluate(x, np.zeros((1, 3, 1)), verbose=0, return_dict=True)
    assert result["loss"] == result["mse"] == 4.0 and abs(result["rmse"] - (8 / 3) ** 0.5) < 1e-6


def test_adapt_takes_generators():
    layer = layers.Normalization()
    layer.adapt(np.full((2, 1), value) for value in (1.0, 3.0))
    assert layer(np.array([[3.0]])).tolist() == [[1.0]]
