"""The names, signatures and class names of `keras.ops`, and which of its names are absent for what reason."""

import importlib
import inspect

import numpy as np
import pytest

import cconv
from cconv import backend, ops, tree

keras = pytest.importorskip("keras")

NO_TEXT = "for sequences of text and speech"
# name -> why it is absent
ABSENT = {
    "ctc_decode": NO_TEXT,
    "ctc_loss": NO_TEXT,
    "custom_gradient": "a class of its own, `cconv.custom_gradient`",
    "jvp": "gradients flow backward only",
    "rearrange": "`reshape` and `transpose` say the same",
    "vectorize": "functions of `cconv.ops` take whole arrays; `vectorized_map` applies one to each row",
    "view": "values are float32, int32 or bool: none is another's bits",
}
# In other modules of the package as they are finished.
ELSEWHERE = {
    "adaptive_average_pool", "adaptive_max_pool", "celu", "dot", "dot_product_attention", "einsum", "gelu", "glu",
    "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "image", "inner", "layer_normalization", "log_sigmoid",
    "outer", "rms_normalization", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "tanh_shrink", "tensordot", "threshold", "vdot",
}  # fmt: skip


def public(module):
    return {name for name in dir(module) if not name.startswith("_")}


def test_what_is_absent_has_a_reason():
    missing = public(keras.ops) - public(ops)
    assert missing - ELSEWHERE - {"custom_gradient"} == set(ABSENT) - {"custom_gradient"}


@pytest.mark.parametrize("module", ["numpy", "nn", "linalg"])
def test_namespaces(module):
    there, here = public(getattr(keras.ops, module)), public(getattr(ops, module))
    assert there - here <= set(ABSENT) | ELSEWHERE
    if module != "linalg":  # the module of the functions itself
        assert here - there == set()
    for name in there & here:
        assert getattr(getattr(ops, module), name) is getattr(ops, name)


@pytest.mark.parametrize(("ours", "theirs"), [(tree, keras.tree), (backend, keras.backend)], ids=["tree", "backend"])
def test_other_modules(ours, theirs):
    assert public(theirs) == set(ours.__all__)
    for name in sorted(public(theirs) - {"MAP_TO_NONE", "map_structure", "result_type", "standardize_dtype"}):
        # with which types a comparison cares for is no argument here: it always does
        extra = {"assert_same_structure": ["check_types"]}.get(name, [])
        right = [p for p in parameters(getattr(theirs, name)) if p[0] not in extra]
        assert parameters(getattr(ours, name)) == right, name


def parameters(function):
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


# Keras takes old or further names of arguments there as keywords, or lacks a default.
WIDER = {"batch_normalization", "einsum", "layer_normalization", "multi_hot"}


@pytest.mark.parametrize("name", sorted(public(keras.ops) & set(ops.__all__) - WIDER))
def test_signatures(name):
    mine = parameters(getattr(ops, name))
    right = parameters(getattr(keras.ops, name))
    assert mine[: len(right)] == right
    assert all(default is not inspect.Parameter.empty for _, default in mine[len(right) :])


# Classes that Keras has no name of its own for, since the function is another one's.
ALIASES = {"Swish"}


SHARED = sorted(public(keras.ops) & set(ops.__all__))


@pytest.mark.parametrize("name", [name for name in SHARED if hasattr(getattr(ops, name), "operation_class")])
def test_class_names_in_files(name):
    function = getattr(ops, name)
    module = importlib.import_module(f"keras.src.ops.{function.operation_module}")
    assert function.operation_class in ALIASES or hasattr(module, function.operation_class)


def test_a_model_of_new_operations_comes_back_from_its_configuration():
    x = cconv.Input((4, 3))
    y = ops.cumsum(ops.roll(ops.flip(x, axis=2), 1, axis=1), axis=2)
    y = ops.norm(ops.where(ops.isfinite(y), y, 0.0), axis=-1) + ops.median(x, axis=(1, 2), keepdims=False)[:, None]
    model = cconv.Model(x, y)
    again = cconv.saving.deserialize_object(cconv.saving.serialize_object(model))
    theirs = keras.saving.deserialize_keras_object(cconv.saving.serialize_object(model))
    value = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(value), model(value))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(theirs(value)), model(value), rtol=1e-5, atol=1e-6)
