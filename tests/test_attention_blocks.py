"""Attention blocks of images: their formulas in NumPy and float64, gradients, layouts, files, errors."""

import numpy as np
import pytest

import cconv
from cconv import layers

RNG = np.random.default_rng(0)
SIZES = {1: (6,), 2: (4, 6), 3: (2, 4, 3)}
CHANNELS = 8


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def places(x):
    return x.reshape(len(x), -1, x.shape[-1])


def over_places(x, how):
    return how(x, axis=tuple(range(1, x.ndim - 1)), keepdims=True)


def gates(x, w):
    k1, b1, k2, b2 = w
    return np.maximum(x @ k1 + b1, 0) @ k2 + b2


def squeeze_excitation(layer, x, w):
    inner = over_places(x, np.mean) @ w[0] + w[1]
    if layer.activation is cconv.activations.get("silu"):
        inner = inner * sigmoid(inner)
    gate = np.maximum(inner, 0) if layer.activation is cconv.activations.get("relu") else inner
    gate = gate @ w[2] + w[3]
    hard = layer.gate_activation is cconv.activations.get("hard_sigmoid")
    return x * (np.clip(gate / 6 + 0.5, 0, 1) if hard else sigmoid(gate))


def concurrent_scse(layer, x, w):
    a = x * sigmoid(gates(over_places(x, np.mean), w[:4]))
    b = x * sigmoid(x @ w[4] + w[5])
    ways = {"add": np.add, "max": np.maximum, "multiply": np.multiply}
    return np.concatenate([a, b], -1) if layer.combination == "concat" else ways[layer.combination](a, b)


def max_pooled(x, pool):
    for axis, size in enumerate(pool, 1):
        kept = x.shape[axis] // size
        x = np.take(x, range(kept * size), axis)
        x = x.reshape(*x.shape[:axis], kept, size, *x.shape[axis + 1 :]).max(axis + 1)
    return x


def normalized(x, w, epsilon):
    gamma, beta, mean, variance = w
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def non_local(layer, x, w):
    """By its sums over pairs of places, with all scores at once."""
    w = list(w)
    pool = {False: (1, 1, 1), True: (1, 2, 2)}.get(layer.sub_sample, layer.sub_sample)[-(x.ndim - 2) :]
    query, key = x, x
    if layer.mode != "gaussian":
        query, key = x @ w[0] + w[1], x @ w[2] + w[3]
        del w[:4]
    key = places(max_pooled(key, pool))
    query = places(query)
    if layer.mode == "concatenation":
        wq, wk = w[:2]
        del w[:2]
        scores = np.maximum(query @ wq + np.swapaxes(key @ wk, 1, 2), 0)
    else:
        scores = query @ np.swapaxes(key, 1, 2)
    if "gaussian" in layer.mode:
        weights = softmax(scores * (query.shape[-1] ** -0.5 if layer.use_scale else 1))
    else:
        weights = scores / key.shape[1]
    values = places(max_pooled(x @ w[0] + w[1], pool))
    y = (weights @ values).reshape(*x.shape[:-1], -1) @ w[2] + w[3]
    return x + (normalized(y, w[4:], layer.epsilon) if layer.batch_norm else y)


def global_context(layer, x, w):
    w, context = list(w), over_places(x, np.mean)
    if layer.pooling == "attention":
        weights = softmax(np.swapaxes(places(x) @ w[0] + w[1], 1, 2))
        context = (weights @ places(x)).reshape(context.shape)
        del w[:2]

    def bottleneck():
        k1, b1, gamma, beta, k2, b2 = w[:6]
        del w[:6]
        inner = context @ k1 + b1
        mean, variance = inner.mean(-1, keepdims=True), inner.var(-1, keepdims=True)
        inner = (inner - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta
        return np.maximum(inner, 0) @ k2 + b2

    y = x * sigmoid(bottleneck()) if "multiply" in layer.fusion else x
    return y + bottleneck() if "add" in layer.fusion else y


def correlated(maps, kernel):
    """ "Same" convolution of channels-last images with one kernel, tap by tap."""
    axes = maps.ndim - 2
    pads = [((k - 1) // 2, k // 2) for k in kernel.shape[:axes]]
    padded = np.pad(maps, [(0, 0), *pads, (0, 0)])
    y = np.zeros((*maps.shape[:-1], kernel.shape[-1]))
    for tap in np.ndindex(kernel.shape[:axes]):
        y += padded[(slice(None), *(slice(t, t + n) for t, n in zip(tap, maps.shape[1:-1], strict=True)))] @ kernel[tap]
    return y


def cbam(layer, x, w):
    x = x * sigmoid(gates(over_places(x, np.mean), w[:4]) + gates(over_places(x, np.max), w[:4]))
    y = correlated(np.stack([x.max(-1), x.mean(-1)], -1), w[4])
    return x * sigmoid(normalized(y, w[5:], layer.epsilon) if layer.batch_norm else y + w[5])


CASES = [
    (squeeze_excitation, "SqueezeExcitation", {"ratio": 4}),
    (squeeze_excitation, "SqueezeExcitation", {"activation": "silu", "gate_activation": "hard_sigmoid", "divisor": 8}),
    (squeeze_excitation, "SqueezeExcitation", {"squeezed_channels": 3, "activation": None}),
    *((concurrent_scse, "ConcurrentSCSE", {"combination": c}) for c in ("add", "max", "multiply", "concat")),
    (non_local, "NonLocal", {}),
    (non_local, "NonLocal", {"use_scale": True, "sub_sample": True, "channels": 3}),
    (non_local, "NonLocal", {"mode": "gaussian", "batch_norm": False}),
    (non_local, "NonLocal", {"mode": "dot_product", "sub_sample": True}),
    (non_local, "NonLocal", {"mode": "concatenation", "sub_sample": True, "momentum": 0.9}),
    (global_context, "GlobalContext", {"ratio": 2}),
    (global_context, "GlobalContext", {"ratio": 2, "pooling": "average", "fusion": "multiply"}),
    (global_context, "GlobalContext", {"ratio": 4, "fusion": ["add", "multiply"]}),
    (cbam, "CBAM", {"ratio": 4}),
    (cbam, "CBAM", {"ratio": 4, "kernel_size": 3, "batch_norm": False}),
]
NAMES = sorted({name for _, name, _ in CASES})


def case_id(case):
    return " ".join([case[1], *(f"{k}={v}" for k, v in case[2].items())])


def with_random_weights(layer, shape):
    layer.build((None, *shape))
    for w in layer.weights:
        w.assign(RNG.uniform(0.5, 1.5, w.shape) if "variance" in w.name else 0.5 * RNG.standard_normal(w.shape))
    return layer


def image(axes, n=2):
    return RNG.standard_normal((n, *SIZES[axes], CHANNELS)).astype(np.float32)


@pytest.mark.parametrize("axes", SIZES)
@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_formulas(case, axes):
    reference, name, settings = case
    layer = with_random_weights(getattr(layers, name)(**settings), (*SIZES[axes], CHANNELS))
    x = image(axes)
    want = reference(layer, x.astype(np.float64), [w.numpy().astype(np.float64) for w in layer.weights])
    y = layer(x)
    assert y.shape == want.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(y, want, rtol=0, atol=2e-5 * np.abs(want).max())
    # the channels first; images of any size
    first = getattr(layers, name)(data_format="channels_first", **settings)
    first.build((None, CHANNELS, *SIZES[axes]))
    first.set_weights(layer.get_weights())
    other = first(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(other, 1, -1), y, rtol=0, atol=1e-5 * np.abs(want).max())
    anything = cconv.Input((*(None for _ in SIZES[axes]), CHANNELS))
    model = cconv.Model(anything, layer(anything))
    assert model.output_shape == (None, *(None for _ in SIZES[axes]), y.shape[-1])
    np.testing.assert_allclose(model(x), y, rtol=0, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_gradients(case):
    """Along a random direction of input and weights, beside differences of the formula."""
    reference, name, settings = case
    layer = with_random_weights(getattr(layers, name)(**settings), (4, 6, CHANNELS))
    x = cconv.Variable(image(2))
    with cconv.GradientTape() as tape:
        y = layer(x)
        dy = RNG.standard_normal(y.shape).astype(np.float32)
        loss = cconv.ops.sum(y * dy)
    variables = [x, *layer.trainable_weights]
    slopes = tape.gradient(loss, variables)
    values = [w.numpy().astype(np.float64) for w in layer.weights]
    index = {id(w): i for i, w in enumerate(layer.weights)}
    for variable, slope in zip(variables, slopes, strict=True):
        way = RNG.standard_normal(variable.shape)

        def loss_at(step, variable=variable, way=way):
            moved = list(values)
            if variable is not x:
                moved[index[id(variable)]] = moved[index[id(variable)]] + step * way
            at = x.numpy().astype(np.float64) + (step * way if variable is x else 0)
            return (reference(layer, at, moved) * dy).sum()

        want = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
        got = (np.asarray(slope, np.float64) * way).sum()
        size = np.linalg.norm(np.asarray(slope)) * np.linalg.norm(way) + 0.1  # the bias of keys moves no softmax
        assert abs(got - want) < 1e-3 * size, variable.path if variable is not x else "x"


@pytest.mark.parametrize(
    "name, settings", [("NonLocal", {}), ("NonLocal", {"batch_norm": False}), ("GlobalContext", {})]
)
def test_blocks_start_as_the_identity(name, settings):
    x = image(2)
    np.testing.assert_array_equal(getattr(layers, name)(**settings)(x), x)


@pytest.mark.parametrize("name", NAMES)
def test_files_and_training(name, tmp_path):
    cconv.utils.set_random_seed(3)
    model = cconv.Sequential(
        [cconv.Input((6, 6, CHANNELS)), getattr(layers, name)(), layers.GlobalAveragePooling2D(), layers.Dense(1)]
    )
    model.compile(cconv.optimizers.Adam(0.05), "mse")
    x = image(2, 8)[:, :1, :] * np.ones((1, 6, 1, 1), np.float32)
    t = x.max((1, 2, 3), keepdims=True).reshape(8, 1)
    losses = model.fit(x, t, epochs=5, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "net.keras")
    again = cconv.saving.load_model(tmp_path / "net.keras")
    assert [w.path.split("/")[-2:] for w in again.weights] == [w.path.split("/")[-2:] for w in model.weights]
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save_weights(tmp_path / "net.weights.h5")
    other = cconv.models.clone_model(model)
    other.load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    "layer, channels, count",
    [
        (lambda: layers.SqueezeExcitation(), 256, 8_464),
        (lambda: layers.SqueezeExcitation(), 2048, 526_464),
        (lambda: layers.SqueezeExcitation(divisor=8), 64, 1_096),
        (lambda: layers.ConcurrentSCSE(16), 256, 8_721),
        (lambda: layers.NonLocal(), 512, 526_592),
        (lambda: layers.NonLocal(), 1024, 2_101_760),
        (lambda: layers.GlobalContext(), 512, 33_889),
        (lambda: layers.CBAM(), 64, 680),
    ],
)
def test_numbers_of_trained_weights(layer, channels, count):
    made = layer()
    made.build((None, 8, 8, channels))
    assert sum(w.numpy().size for w in made.trainable_weights) == count


def test_widths_in_between():
    def width(channels, **settings):
        layer = layers.SqueezeExcitation(**settings)
        layer.build((None, 4, 4, channels))
        return layer.squeeze.units

    assert [width(c, ratio=4, divisor=8) for c in (16, 64, 72, 120, 240)] == [8, 16, 24, 32, 64]  # as in MobileNetV3
    assert width(8) == 1 and width(24) == 1 and width(32) == 2
    assert width(24, squeezed_channels=5, divisor=8) == 5


@pytest.mark.parametrize("mode", ["embedded_gaussian", "gaussian", "dot_product", "concatenation"])
def test_non_local_never_has_the_scores_of_all_pairs(mode):
    """40,000 places: their pairs would be 6.4 GB. That the op makes some rows at a time is tested in
    test_attention_op.py."""
    layer, x = layers.NonLocal(mode), cconv.Input((200, 200, 4))
    with cconv.scope.tracing():
        stack, seen = [layer(x)], {}
    while stack:
        tensor = stack.pop()
        if id(tensor) not in seen:
            seen[id(tensor)] = tensor
            stack += [t for t in tensor.inputs if t is not None]
    sizes = [np.prod([n for n in t.shape if n is not None]) for t in seen.values()]
    assert len(sizes) > 10 and max(sizes) <= 200 * 200 * 4


def test_batch_normalization_in_blocks_trains():
    layer = layers.NonLocal(momentum=0.5)
    before = layer(image(2)).copy()
    moving = layer.norm.moving_mean.numpy()
    layer(image(2), training=True)
    assert np.abs(layer.norm.moving_mean.numpy() - moving).max() > 0 and np.isfinite(before).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: layers.SqueezeExcitation(0), "`ratio` must be positive"),
        (lambda: layers.SqueezeExcitation("four"), "ratio='four'"),
        (lambda: layers.SqueezeExcitation(divisor=0), "divisor=0"),
        (lambda: layers.SqueezeExcitation(squeezed_channels=-1), "squeezed_channels=-1"),
        (lambda: layers.ConcurrentSCSE(combination="mean"), "combination='mean'"),
        (lambda: layers.NonLocal("cosine"), "mode='cosine'"),
        (lambda: layers.NonLocal("dot_product", use_scale=True), "mode='dot_product'"),
        (lambda: layers.NonLocal(channels=0), "channels=0"),
        (lambda: layers.NonLocal(sub_sample=(2, 2))(image(1)), "sub_sample"),
        (lambda: layers.GlobalContext(pooling="max"), "pooling='max'"),
        (lambda: layers.GlobalContext(fusion=[]), r"fusion=\[\]"),
        (lambda: layers.GlobalContext(fusion=["add", "add"]), "fusion"),
        (lambda: layers.CBAM(kernel_size=0)(image(2)), "kernel_size"),
        (lambda: layers.CBAM(momentum=2), "momentum=2"),
        (lambda: layers.CBAM()(np.ones((2, 3))), "ndim"),
        (lambda: layers.CBAM()(cconv.Input((4, 4, None))), "number of channels must be known"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
