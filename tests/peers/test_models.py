"""What models say and do apart from training, beside Keras: signatures, summaries, clones, stateless calls."""

import inspect

import numpy as np
import pytest

import cconv

keras = pytest.importorskip("keras")

METHODS = [
    "call fit evaluate predict compile summary train_on_batch test_on_batch predict_on_batch get_layer count_params",
    "get_weights set_weights stateless_call save_own_variables load_own_variables get_config from_config to_json",
    "build build_from_config get_build_config get_compile_config compile_from_config compute_mask load_weights",
    "compute_output_shape reset_metrics",
]
# what differs: Keras hands these on to functions that take more; or has arguments of back ends that are none here
OTHERWISE = {"call", "evaluate", "to_json"}


@pytest.mark.parametrize("method", " ".join(METHODS).split())
def test_methods_take_the_same_arguments(method):
    ours, theirs = (inspect.signature(getattr(k.Model, method)).parameters for k in (cconv, keras))
    if method in OTHERWISE:
        assert set(ours) >= {name for name in theirs if name not in ("args", "kwargs")}
        return
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


FUNCTIONS = {
    "models.clone_model": {"kwargs"},
    "utils.plot_model": {"kwargs"},
    "utils.model_to_dot": {"kwargs"},
    "utils.get_source_inputs": set(),
    "utils.is_keras_tensor": set(),
    "utils.deserialize_keras_object": {"safe_mode", "kwargs"},
    "utils.get_registered_object": set(),
    "utils.disable_interactive_logging": set(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_the_same_arguments(name):
    module, function = name.split(".")
    ours, theirs = (
        inspect.signature(getattr(getattr(k, module), function)).parameters.values() for k in (cconv, keras)
    )
    expected = [(p.name, p.default) for p in theirs if p.name not in FUNCTIONS[name]]
    assert [(p.name, p.default) for p in ours] == expected


def models(k):
    """The same models of either library, by name."""
    layers = k.layers
    k.utils.clear_session()
    inner = k.Sequential(
        [k.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()], name="inner"
    )
    outer = [k.Input((8, 8, 3)), inner, layers.Flatten(), layers.Dense(3, trainable=False)]
    a, b = k.Input((8, 8, 3), name="a"), k.Input((4,), name="b")
    pooled = layers.GlobalAveragePooling2D(name="pool")(inner(a))
    dense = layers.Dense(4, name="dense")
    y = layers.Add(name="add")([dense(b), pooled])
    z = k.ops.multiply(dense(y), 2.0)
    compiled = k.Sequential([k.Input((5,)), layers.Dense(2000)], name="compiled")
    compiled.compile("adam", "mse")
    compiled.fit(np.zeros((4, 5)), np.zeros((4, 2000)), verbose=0)
    deep = k.Sequential([layers.Flatten(), layers.Dense(2)], name="deep")
    return {
        "stack": k.Sequential(outer, name="outer"),
        "graph": k.Model([a, b], [z, y], name="graph"),
        "named": k.Model({"a": a, "b": b}, {"z": z, "y": y}, name="named"),
        "unbuilt": k.Sequential([layers.Dense(3), layers.Dense(2)], name="unbuilt"),
        "compiled": compiled,
        "nested": k.Sequential([k.Input((8, 8, 3)), k.Sequential([layers.Conv2D(4, 3), deep], name="mid")], name="all"),
    }


OPTIONS = {
    "plain": {},
    "nested": {"expand_nested": True},
    "trainable": {"show_trainable": True},
    "both": {"expand_nested": True, "show_trainable": True},
    "narrow": {"line_length": 70},
    "wide": {"line_length": 118, "show_trainable": True},
    "columns": {"positions": [0.5, 0.7, 1.0]},
    "four columns": {"positions": [0.3, 0.6, 0.75, 1.0]},
    "range": {"layer_range": ["inner", "add"]},
    "one": {"layer_range": ["dense", "dense"]},
    "no such": {"layer_range": ["zz", "dense"]},
}


@pytest.fixture(scope="module")
def made():
    return {k: models(k) for k in (cconv, keras)}


def summary(model, options):
    told = []
    try:
        model.summary(print_fn=lambda text, line_break=None: told.append(text), **options)
    except (ValueError, IndexError):
        return None
    return "\n".join(told).strip()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["stack", "graph", "named", "unbuilt", "compiled", "nested"])
def test_summaries(made, name, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    ours, theirs = (summary(made[k][name], OPTIONS[options]) for k in (cconv, keras))
    if options == "four columns" and name not in ("graph", "named"):
        assert ours is None  # Keras draws a table whose ruler does not fit it
    elif options in ("nested", "both") and name in ("graph", "named"):
        # the layers of the inner model say what they are connected to; in Keras "-"
        rows = [[line.split("│")[1:4] for line in text.splitlines() if "│" in line] for text in (ours, theirs)]
        assert rows[0] == rows[1]
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", ["stack", "graph", "named", "unbuilt", "nested"])
def test_clones(made, name):
    def told(model):
        parts = [told(layer) if hasattr(layer, "layers") else [] for layer in model.layers]
        kinds = [(x.name, type(x).__name__, x.trainable, x.built) for x in model.layers]
        return model.name, kinds, parts

    ours, theirs = (told(k.models.clone_model(made[k][name])) for k in (cconv, keras))
    assert ours == theirs


@pytest.mark.parametrize("training", [False, True])
def test_stateless_calls(training):
    results = []
    weights = None
    for k in (keras, cconv):
        layers = k.layers
        model = k.Sequential(
            [
                k.Input((3,)),
                layers.Dense(2, kernel_regularizer="l1", activity_regularizer="l2"),
                layers.BatchNormalization(momentum=0.7),
            ]
        )
        if weights is None:
            weights = [np.full(v.shape, 0.5 + i, "float32") for i, v in enumerate(model.variables)]
        trainable, fixed = weights[: len(model.trainable_variables)], weights[len(model.trainable_variables) :]
        x = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
        y, state, losses = model.stateless_call(trainable, fixed, x, training=training, return_losses=True)
        numbers = [np.asarray(value.detach() if hasattr(value, "detach") else value) for value in (y, *state)]
        results.append((numbers, sorted(float(value) for value in losses)))
    for ours, theirs in zip(results[1][0], results[0][0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-5)


def test_source_inputs():
    for k in (cconv, keras):
        a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
        dense = k.layers.Dense(3)
        y = k.layers.Add()([dense(b), dense(a)])
        assert [x.name for x in k.utils.get_source_inputs(y)] == ["b", "a"]
        assert k.utils.is_keras_tensor(y) and not k.utils.is_keras_tensor(np.zeros(3))
