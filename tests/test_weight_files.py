"""Weights from files of other frameworks by names: tables of names, and what does not fit."""

import h5py
import numpy as np
import pytest
import torch_files
from safetensors_files import safetensors

import cconv
from cconv import layers
from cconv.saving import legacy_file
from cconv.saving.name_tables import NameTable

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


X = np.arange(6, dtype=np.float32)
NAMES = {"conv{i}": "features.{i-1}", "deep": "deep.conv", "norm": "deep.bn", "dense": "head"}


def small(**settings):
    model = cconv.Sequential(
        [
            cconv.Input((6, 6, 3)),
            layers.Conv2D(4, 3, name="conv1", **settings),
            layers.Conv2D(8, 3, groups=2, name="conv2"),
            layers.DepthwiseConv2D(2, depth_multiplier=2, use_bias=False, name="deep"),
            layers.BatchNormalization(name="norm"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5, seed=1),
            layers.Dense(5, name="dense"),
        ]
    )
    for variable in model.weights:
        variable.assign(numbers(*variable.shape))
    return model


def as_torch(model):
    """Its weights in PyTorch's layout and names."""
    w = {f"{layer.name}/{v.name}": v.numpy() for layer in model.layers for v in layer.weights}
    turned = {key: np.moveaxis(w[key], (-1, -2), (0, 1)) for key in ("conv1/kernel", "conv2/kernel", "dense/kernel")}
    arrays = {"features.0.weight": turned["conv1/kernel"], "features.1.weight": turned["conv2/kernel"]}
    if "conv1/bias" in w:
        arrays["features.0.bias"] = w["conv1/bias"]
    space, c, m = w["deep/kernel"].shape[:2], *w["deep/kernel"].shape[2:]
    arrays["features.1.bias"] = w["conv2/bias"]
    arrays["deep.conv.weight"] = np.moveaxis(w["deep/kernel"], (2, 3), (0, 1)).reshape(c * m, 1, *space)
    theirs = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    arrays |= {f"deep.bn.{theirs[key]}": w[f"norm/{key}"] for key in theirs}
    arrays["deep.bn.num_batches_tracked"] = np.int64(9).reshape(())
    return arrays | {"head.weight": turned["dense/kernel"], "head.bias": w["dense/bias"]}


def assert_equal(one, two, but=()):
    for a, b in zip(one.layers, two.layers, strict=True):
        for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
            assert np.array_equal(x, y) == (a.name not in but), a.name


@pytest.mark.parametrize("prefix", ["", "module.", "module.model."])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_by_names(suffix, prefix, tmp_path):
    one, two = small(), small()
    arrays = {prefix + key: array for key, array in as_torch(one).items()}
    path = tmp_path / f"net{suffix}"
    if suffix == ".pth":
        torch_files.save(path, arrays)
    else:
        path.write_bytes(safetensors({key: np.ascontiguousarray(array) for key, array in arrays.items()}))
    two.load_weights(path, names=NAMES)
    assert_equal(one, two)


def misfit(change, tmp_path):
    one, two = small(), small()
    arrays = as_torch(one)
    change(arrays)
    torch_files.save(tmp_path / "net.pth", arrays)
    return one, two, tmp_path / "net.pth"


MISFITS = {
    "missing": (lambda a: a.pop("head.bias"), "missing: 'head.bias'", "dense"),
    "left over": (lambda a: a.update(extra=X), "left over: 'extra'", ""),
    "shape": (
        lambda a: a.update({"features.0.weight": numbers(4, 3, 5, 5)}),
        r"of another shape: 'features.0.weight': expected \(4, 3, 3, 3\), found \(4, 3, 5, 5\)",
        "conv1",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_file_that_does_not_fit_loads_nothing(case, tmp_path):
    change, message, layer = MISFITS[case]
    one, two, path = misfit(change, tmp_path)
    before = two.get_weights()
    with pytest.raises(ValueError, match=f"by the names of `names`: {message}. Nothing is loaded"):
        two.load_weights(path, names=NAMES)
    for a, b in zip(before, two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if layer:
        with pytest.warns(UserWarning, match=f"Layer '{layer}' is not loaded.*{message}"):
            two.load_weights(path, names=NAMES, skip_mismatch=True)
    else:
        two.load_weights(path, names=NAMES, skip_mismatch=True)
    assert_equal(one, two, but=[layer])


def test_by_name_takes_what_is_there(tmp_path):
    one, two, path = misfit(lambda a: (a.pop("head.bias"), a.pop("head.weight"), a.update(extra=X)), tmp_path)
    two.load_weights(path, names=NAMES, by_name=True)
    assert_equal(one, two, but=["dense"])
    one, two, path = misfit(lambda a: a.pop("head.bias"), tmp_path)
    with pytest.raises(ValueError, match="missing: 'head.bias'"):
        two.load_weights(path, names=NAMES, by_name=True)


def test_many_complaints_are_counted(tmp_path):
    _, two, path = misfit(lambda a: a.update({f"x.{k}": X for k in range(9)}), tmp_path)
    with pytest.raises(ValueError, match=r"left over: 'x.0', .*'x.4', ... \(9 in all\)"):
        two.load_weights(path, names=NAMES)


def test_what_names_cannot_be(tmp_path):
    model = small()
    torch_files.save(tmp_path / "net.pth", as_torch(model))
    with pytest.raises(ValueError, match="none are known for the model.*names="):
        model.load_weights(tmp_path / "net.pth")
    with pytest.raises(ValueError, match="dictionary of texts"):
        model.load_weights(tmp_path / "net.pth", names=[1])
    with pytest.raises(ValueError, match="no name for deep"):
        model.load_weights(tmp_path / "net.pth", names={k: v for k, v in NAMES.items() if k != "deep"})
    with pytest.raises(ValueError, match="'head.weight' for 'norm' and 'dense'"):
        model.load_weights(tmp_path / "net.pth", names=NAMES | {"norm": "head"})
    model.save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(ValueError, match="`names` are for files that end in '.safetensors'"):
        model.load_weights(tmp_path / "net.weights.h5", names=NAMES)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "none.pth", names=NAMES)


def test_what_a_table_may_say(tmp_path):
    """Older names, a classifier that the model lacks, missing biases, what is not needed, whole names, a note."""
    one, two = small(use_bias=True), small(use_bias=True)
    one.layers[0].bias.assign(np.zeros(4))
    arrays = as_torch(one)
    del arrays["features.0.bias"]
    arrays |= {"aux.fc.weight": X, "fc.weight": X, "deep.norm.weight": arrays.pop("deep.bn.weight")}
    arrays["scale"] = arrays.pop("deep.bn.bias").reshape(-1, 1, 1)
    torch_files.save(tmp_path / "net.pth", arrays)
    table = NameTable(
        "a test",
        {"norm/beta": "scale", **NAMES},
        top={"predictions": "fc"},
        ignored=(r"aux\.",),
        renamed=((r"^deep\.norm\.", "deep.bn."),),
        zero_biases=True,
        note="The note.",
    )
    with pytest.warns(UserWarning, match="The note"):
        two.load_weights(tmp_path / "net.pth", names=table)
    assert_equal(one, two)
    kept = NameTable(
        "a test", table.layers, kept=("dense",), ignored=(r"aux\.", r"fc\.", r"head\."), renamed=table.renamed
    )
    three = small(use_bias=False)
    three.load_weights(tmp_path / "net.pth", names=kept)
    np.testing.assert_array_equal(one.layers[1].kernel, three.layers[1].kernel)
    assert not np.array_equal(one.layers[-1].kernel, three.layers[-1].kernel)


def test_blocks_are_counted_by_letters_and_some_weights_are_in_no_file(tmp_path):
    def build(channels=3):
        convolutions = [layers.Conv2D(3, 1, name=f"block{block}_conv") for block in ("1a", "1b", "2a")]
        return cconv.Sequential([cconv.Input((4, 4, channels)), layers.Normalization(name="norm"), *convolutions])

    one, two = build(), build()
    statistics = (0.1, 0.2, 0.3), (4.0, 5.0, 6.0)
    one.layers[0].set_weights([*statistics, 0])
    arrays = {}
    for layer, module in zip(one.layers[1:], ("blocks.0.0", "blocks.0.1", "blocks.1.0"), strict=True):
        arrays |= {f"{module}.weight": layer.kernel.numpy().transpose(3, 2, 0, 1), f"{module}.bias": layer.bias.numpy()}
    torch_files.save(tmp_path / "net.pth", arrays)
    given = dict(zip(("norm/mean", "norm/variance", "norm/count"), (*statistics, (0,)), strict=True))
    table = NameTable("a test", {"block{i}{j:a}_conv": "blocks.{i-1}.{j}"}, given=given)
    two.load_weights(tmp_path / "net.pth", names=table)
    assert_equal(one, two)
    with pytest.raises(ValueError, match="'norm/mean' is known for 3 channels, the model has 2. Nothing is loaded"):
        build(2).load_weights(
            tmp_path / "net.pth",
            names=NameTable("a test", table.layers, kept=("block1a_conv",), ignored=(r"blocks.0.0",), given=given),
        )
    with pytest.raises(ValueError, match="another framework. It is another one. Nothing is loaded"):
        two.load_weights(tmp_path / "net.pth", names=NameTable("a test", {}, refused="It is another one."))


def test_gammas_that_the_model_lacks_and_layers_that_are_counted(tmp_path):
    """Kernels and averages take gammas of any sign; layers without a name of their own are counted in the model."""

    def build(scale):
        x = images = cconv.Input((5, 5, 3))
        for _ in range(2):
            x = layers.Conv2D(4, 3, use_bias=False)(x)
            x = layers.BatchNormalization(scale=scale)(x)
        return cconv.Model(images, x)

    layers.Conv2D(1, 1)  # counts in names, not in the model
    one, two = build(True), build(False)
    arrays = {}
    for i in range(2):
        convolution, norm = one.layers[1 + 2 * i : 3 + 2 * i]
        norm.set_weights([numbers(4), numbers(4), numbers(4), np.abs(numbers(4)) + 0.5])
        arrays[f"c{i}.weight"] = convolution.kernel.numpy().transpose(3, 2, 0, 1)
        parts = ("weight", "bias", "running_mean", "running_var")
        arrays |= {f"n{i}.{part}": w.numpy() for part, w in zip(parts, norm.weights, strict=True)}
    torch_files.save(tmp_path / "net.pth", arrays)
    names = {
        f"{kind}#{i}": f"{module}{i}"
        for i in range(2)
        for kind, module in (("conv2d", "c"), ("batch_normalization", "n"))
    }
    gammas = {name: f"n{name[-1]}" for name in names}
    two.load_weights(tmp_path / "net.pth", names=NameTable("a test", names, gammas=gammas))
    x = numbers(2, 5, 5, 3)
    np.testing.assert_allclose(two.predict(x, verbose=0), one.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="left over: 'n0.weight', 'n1.weight'. Nothing is loaded"):
        two.load_weights(tmp_path / "net.pth", names=NameTable("a test", names))


def test_batch_normalization_becomes_a_part_of_the_convolution_before(tmp_path):
    x = numbers(2, 5, 5, 3)
    model = cconv.Sequential(
        [cconv.Input((5, 5, 3)), layers.Conv2D(4, 3, name="c"), layers.BatchNormalization(epsilon=1e-5)]
    )
    norm = model.layers[1]
    norm.set_weights([numbers(4), numbers(4), numbers(4), np.abs(numbers(4))])
    weights = dict(zip(("n.weight", "n.bias", "n.running_mean", "n.running_var"), norm.get_weights(), strict=True))
    kernel, bias = model.layers[0].get_weights()
    torch_files.save(tmp_path / "a.pth", {"c.weight": kernel.transpose(3, 2, 0, 1), "c.bias": bias, **weights})
    folded = cconv.Sequential([cconv.Input((5, 5, 3)), layers.Conv2D(4, 3, name="c")])
    folded.load_weights(tmp_path / "a.pth", names=NameTable("a test", {"c": "c"}, folded={"c": "n"}))
    want = model.predict(x, verbose=0)
    np.testing.assert_allclose(folded.predict(x, verbose=0), want, rtol=1e-4, atol=1e-5)


def test_rows_of_a_flattened_image_are_put_in_our_order(tmp_path):
    model = cconv.Sequential([cconv.Input((2, 3, 4)), layers.Flatten(), layers.Dense(5, name="d")])
    kernel = numbers(5, 24)
    torch_files.save(tmp_path / "a.pth", {"d.weight": kernel, "d.bias": np.zeros(5, np.float32)})
    model.load_weights(tmp_path / "a.pth", names=NameTable("a test", {"d": "d"}, flattened={"d": 4}))
    x = numbers(2, 2, 3, 4)
    want = x.transpose(0, 3, 1, 2).reshape(2, -1) @ kernel.T
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-4, atol=1e-5)


def test_files_of_keras_without_their_model_name_what_differs(tmp_path):
    one = cconv.Sequential([cconv.Input((3,)), layers.Dense(2, name="first")])
    two = cconv.Sequential([cconv.Input((3,)), layers.Dense(2, name="first"), layers.Dense(1, name="second")])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        legacy_file.write_weights(file, one)
    with pytest.raises(ValueError, match="2 layers with weights, received those of 1. Only the model has second"):
        two.load_weights(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["first/outside"] = h5py.ExternalLink("/etc/passwd", "x")
    with pytest.raises(ValueError, match="a link to somewhere else"):
        one.load_weights(tmp_path / "a.h5")
