"""All variables of a model as nested dictionaries; devices and names."""

import numpy as np
import pytest

import cconv
from cconv import layers


def model(seed):
    cconv.utils.clear_session()  # so that its optimizer has the same name
    cconv.utils.set_random_seed(seed)
    made = cconv.Sequential(
        [cconv.Input((3,)), layers.Dense(2, name="d"), layers.BatchNormalization(name="n")], name="small"
    )
    made.compile("adam", "mse", metrics=["mae"])
    made.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return made


def test_a_state_moves_to_another_model():
    a, b = model(1), model(2)
    tree = a.get_state_tree()
    assert set(tree["trainable_variables"]["small"]) == {"d", "n"}
    assert tree["metrics_variables"]["loss"]["count"] == 4
    assert len(a.metrics_variables) == 4
    assert set(tree["optimizer_variables"]["adam"]) >= {"iteration", "learning_rate", "small_d_kernel_momentum"}
    b.set_state_tree(tree)
    for made in (a, b):
        made.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_a_part_is_enough_and_a_copy():
    made = model(1)
    tree = made.get_state_tree()
    tree["trainable_variables"]["small"]["d"]["bias"][:] = 5
    assert not (made.layers[0].bias.numpy() == 5).any()
    made.set_state_tree({"trainable_variables": {"small": {"d": {"bias": [5, 5]}}}})
    assert made.layers[0].bias.numpy().tolist() == [5, 5]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"weights": {}}, "weights"),
        ({"trainable_variables": {"small": {"e": 1}}}, "'small/e'"),
        ({"trainable_variables": {"small": {"d": {"kernel": np.ones((3, 2)), "bias": [1]}}}}, r"\(1,\)"),
    ],
)
def test_what_does_not_fit_changes_nothing(tree, words):
    made = model(1)
    before = made.get_weights()
    with pytest.raises(ValueError, match=words):
        made.set_state_tree(tree)
    assert all(np.array_equal(x, y) for x, y in zip(before, made.get_weights(), strict=True))
    with pytest.raises(ValueError, match="value_format"):
        made.get_state_tree("list")


def test_devices():
    for name in ("cpu", "CPU:0", "/cpu:0", "/device:CPU:0"):
        with cconv.device(name):
            assert cconv.ops.add(1.0, 2.0) == 3.0
    with pytest.raises(ValueError, match="'gpu:0'"), cconv.device("gpu:0"):
        pass
    assert cconv.version() == cconv.__version__ and isinstance(cconv.Input((1,)), cconv.KerasTensor)
