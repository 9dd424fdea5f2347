"""Every public class and function that Keras has too stands beside it in a row of some table in this folder.

A row is a tuple of a parametrized test that holds the name; of layers it counts only where the test trains. Or a thing
has a file of tests with its name.
"""

import functools
import importlib
import inspect
import re
from pathlib import Path

import keras
import pytest

import cconv

HERE = Path(__file__).parent
# module -> the part of a file's name in which rows for it stand
MODULES = {
    "activations": "", "constraints": "parts", "initializers": "parts", "layers": "", "losses": "loss",
    "metrics": "(metric|loss_training)", "ops": "", "ops.image": "", "ops.linalg": "ops",
    "optimizers": "optimizer", "optimizers.schedules": "optimizer", "random": "random", "regularizers": "parts",
}  # fmt: skip
BASES = {
    "Constraint", "Initializer", "Layer", "LearningRateSchedule", "Loss", "Metric", "Optimizer", "Regularizer",
}  # fmt: skip
REGISTRY = {"deserialize", "get", "serialize"}
# Functions that layers or losses call by other names, and what is no computation.
TRAINS = re.compile(r"train_on_batch|check_layer_alike|same_weights_after_three_steps")

# name -> where it is tested instead, as file.function
ELSEWHERE = {
    "layers": {
        "SpectralNormalization": "test_spectral_normalization.test_numbers_after_three_steps",
        "CategoryEncoding": "test_preprocessing.test_category_encoding_is_keras",
        "Discretization": "test_preprocessing.test_discretization_is_keras",
        "Input": "test_models",
        "InputLayer": "test_layers.test_arguments_have_keras_names_order_and_defaults",
        "MaxNumBoundingBoxes": "test_augmentation",
        "Pipeline": "test_layer_table.test_a_pipeline_of_layers",
        "RandomFlip": "test_augmentation",
        "TimeDistributed": "test_masks",
        "Wrapper": "test_masks.test_wrapped_layers_in_files",
    },
    "optimizers": {"MultiOptimizer": "test_multi_optimizer", "OptimizerMap": "test_multi_optimizer"},
    "metrics": {
        "Mean": "test_metrics.test_mean_of_pixels",
        "Sum": "test_metrics.test_mean_of_pixels",
        "concordance_correlation": "test_newer_metrics",
        "pearson_correlation": "test_newer_metrics",
    },
    "random": {"SeedGenerator": "test_random_functions.test_a_seed_generator_gives_another_number_each_time"},
}
# name -> why there is no row
EXCLUDED = {
    "activations": {"sparsemax": "Keras' by PyTorch does not sum to 1"},
    "layers": {
        "CutMix": "draws where it cuts; tests/test_augmentation.py has what must hold of any cut",
        "Lambda": "computes what its function says; tests/test_lambda.py",
        "InputSpec": "says what a layer takes, and computes nothing",
        "RandomCrop": "draws where it crops; where it does not draw, Keras leaves images whole, against its word",
        "MixUp": "draws how much it mixes; tests/test_augmentation.py has what must hold of any mixture",
    },
    "metrics": {"MeanMetricWrapper": "the base of metrics of a function"},
    "ops.image": {"gaussian_blur": "Keras' by PyTorch blurs along one axis; tests/test_image_filters.py"},
    "ops": {
        "argpartition": "Keras' by PyTorch leaves out the smallest",
        "custom_gradient": "refused in a graph; test_tape.py has that of tapes",
        "sparsemax": "Keras' by PyTorch does not sum to 1",
    },
}


def module_of(library, name):
    return functools.reduce(getattr, name.split("."), library)


@functools.cache
def tables():
    """(file, whether the test trains, name) of all rows in parametrized tests of this folder."""
    found = set()
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        for function in (f for n, f in vars(module).items() if n.startswith("test_")):
            marks = [m for m in getattr(function, "pytestmark", []) if m.name == "parametrize"]
            trains = bool(TRAINS.search(inspect.getsource(function)))
            for row in (row for mark in marks for row in mark.args[1]):
                row = getattr(row, "values", row) if type(row).__name__ == "ParameterSet" else row
                if isinstance(row, tuple) and len(row) > 1:
                    found |= {(path.stem, trains, item) for item in row if isinstance(item, str)}
    return found


def shared(module):
    """name -> (ours, theirs): what can be called and both have."""
    ours, theirs = module_of(cconv, module), module_of(keras, module)
    names = {n for n in dir(theirs) if not n.startswith("_") and hasattr(ours, n)} - BASES - REGISTRY
    pairs = {name: (getattr(ours, name), getattr(theirs, name)) for name in names}
    return {n: pair for n, pair in pairs.items() if callable(pair[1]) and not inspect.ismodule(pair[1])}


def rows_of(module):
    """The names of which there are rows."""
    files = re.compile(MODULES[module])
    augments = set(cconv.layers.augmentation.__all__) if module == "layers" else ()
    texts = HERE.glob("test_*image*.py") if module == "ops.image" else ()  # a test for each function
    return {
        name
        for file, trains, name in tables()
        if files.search(file) and (module != "layers" or trains or (name in augments and "augmentation" in file))
    }.union(*(re.findall(r"\w+", path.read_text(encoding="utf-8")) for path in texts))


@pytest.mark.parametrize("module", MODULES)
def test_everything_has_a_row(module):
    pairs, rows = shared(module), rows_of(module)
    # another name for the same thing, which is then one in both, needs no row of its own
    same = {
        other
        for name, (mine, theirs) in pairs.items()
        if name in rows
        for other, pair in pairs.items()
        if pair[0] is mine and pair[1] is theirs
    }
    missing = set(pairs) - rows - same - set(ELSEWHERE.get(module, ())) - set(EXCLUDED.get(module, ()))
    missing = {name for name in missing if not (HERE / f"test_{name.lower()}.py").exists()}  # a file of its own
    assert not missing, f"no row in tests/peers compares these of cconv.{module} with Keras': {sorted(missing)}"


@pytest.mark.parametrize("module", MODULES)
def test_exceptions_are_needed(module):
    names = [*ELSEWHERE.get(module, ()), *EXCLUDED.get(module, ())]
    rows = rows_of(module)
    assert [n for n in names if n in rows or n not in shared(module)] == []
    for name, place in ELSEWHERE.get(module, {}).items():
        file, _, function = place.partition(".")
        tested = importlib.import_module(f"{__package__}.{file}")
        assert not function or callable(getattr(tested, function))
        assert name in (HERE / f"{file}.py").read_text(encoding="utf-8"), (name, place)


def test_a_name_without_a_row_would_be_found(monkeypatch):
    monkeypatch.setattr(cconv.layers, "SimpleRNN", object, raising=False)
    with pytest.raises(AssertionError, match="SimpleRNN"):
        test_everything_has_a_row("layers")
