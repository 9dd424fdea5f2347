"""Types of layers: the one policy there is, and what is said of others."""

import json

import numpy as np
import pytest

import cconv
from cconv import config, dtype_policies, layers


def test_the_policy():
    policy = cconv.DTypePolicy("float32")
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == ("float32",) * 3
    assert dtype_policies.get(None) == dtype_policies.get(policy) == config.dtype_policy() == policy
    assert dtype_policies.get(json.loads(json.dumps(dtype_policies.serialize(policy)))) == policy
    assert repr(policy) == '<DTypePolicy "float32">' and len({policy, cconv.DTypePolicy()}) == 1


def test_layers_take_it():
    layer = layers.Dense(2, dtype=cconv.DTypePolicy("float32"))
    assert layer.dtype_policy == cconv.DTypePolicy() and layer.compute_dtype == layer.variable_dtype == "float32"
    assert layer(np.ones((1, 2), np.float16)).dtype == np.float32


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: cconv.DTypePolicy("mixed_float16"), "option of the plan"),
        (lambda: dtype_policies.get("float64"), "float32 only"),
        (lambda: config.set_dtype_policy("mixed_bfloat16"), "option of the plan"),
        (lambda: config.set_floatx("float16"), "float32 only"),
        (lambda: config.set_backend("torch"), "one back end"),
        (lambda: layers.Dense(2, dtype="mixed_float16"), "float32 only"),
        (lambda: dtype_policies.deserialize({"class_name": "QuantizedDTypePolicy"}), "DTypePolicy"),
    ],
)
def test_others_are_refused(use, words):
    with pytest.raises(ValueError, match=words):
        use()


def test_what_is_so_already_can_be_set():
    config.set_floatx("float32")
    config.set_dtype_policy("float32")
    config.set_backend(config.backend())
    assert config.floatx() == "float32" and config.dtype_policy().name == "float32"
