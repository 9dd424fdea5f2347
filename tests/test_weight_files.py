"""Weights from files of other frameworks: tensors by name, damaged and hostile files, what does not fit, downloads."""

import functools
import http.server
import json
import threading
import zipfile

import h5py
import numpy as np
import pytest
import torch_files
from torch_files import archive, name, ordered, state_dict, tensor, text, tuple_of, whole

import cconv
from cconv import layers
from cconv.applications import VGG16, MobileNetV2, ResNet50, published
from cconv.saving import legacy_file
from cconv.saving.name_tables import NameTable
from cconv.saving.tensor_files import open_tensors

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def safetensors(arrays, kinds=None, metadata=None, change=None, tail=b""):
    """The bytes of a `.safetensors` file; `change` edits its header."""
    header, at, data = {}, 0, b""
    for key, array in arrays.items():
        kind = (kinds or {}).get(key) or {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64"}[array.dtype.str[1:]]
        header[key] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at, data = at + array.nbytes, data + array.tobytes()
    if metadata:
        header["__metadata__"] = metadata
    if change:
        change(header)
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data + tail


def read(path):
    with open_tensors(path) as tensors:
        return {key: value.read() for key, value in tensors.items()}


# ---- the files ----

ARRAYS = {"a.weight": numbers(4, 3), "a.bias": numbers(4).astype(np.float64), "n": np.int64(7).reshape(())}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".pth.tar"])
def test_tensors_by_name(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    if suffix == ".safetensors":
        path.write_bytes(safetensors(ARRAYS, metadata={"format": "pt"}))
    else:
        torch_files.save(path, ARRAYS)
    found = read(path)
    assert found.keys() == ARRAYS.keys()
    for key, array in ARRAYS.items():
        assert found[key].dtype == array.dtype and found[key].shape == array.shape
        np.testing.assert_array_equal(found[key], array)


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    upper = np.array([0x3F80, 0xC020], np.uint16)  # 1, -2.5
    (tmp_path / "a.safetensors").write_bytes(safetensors({"x": upper.view(np.float16)}, {"x": "BF16"}))
    pickled = ordered(text("x") + tensor("0", upper, storage="BFloat16Storage"))
    (tmp_path / "a.pth").write_bytes(archive(pickled, [upper]))
    for file in ("a.safetensors", "a.pth"):
        np.testing.assert_array_equal(read(tmp_path / file)["x"], np.float32([1, -2.5]))


@pytest.mark.parametrize("wrapper", ["state_dict", "model", None])
def test_a_checkpoint_is_its_state_dict(wrapper, tmp_path):
    inner = state_dict({"w": ARRAYS["a.weight"]})
    pickled = ordered(text("epoch") + whole(3), text(wrapper) + inner) if wrapper else inner
    (tmp_path / "a.pth").write_bytes(archive(pickled, [ARRAYS["a.weight"]]))
    np.testing.assert_array_equal(read(tmp_path / "a.pth")["w"], ARRAYS["a.weight"])


def test_a_tensor_is_a_part_of_its_elements_in_any_order(tmp_path):
    x = numbers(4, 5)
    items = [
        text("all") + tensor("0", x),
        text("turned") + tensor("0", x, shape=(5, 4), strides=(1, 5)),
        text("part") + tensor("0", x, shape=(2, 3), strides=(5, 1), offset=7),
        text("none") + tensor("0", x, shape=(0, 3)),
        text("one") + tensor("0", x, shape=(1, 2), strides=(1 << 60, 1)),
    ]
    (tmp_path / "a.pt").write_bytes(archive(ordered(*items), [x]))
    found = read(tmp_path / "a.pt")
    for key, want in {"all": x, "turned": x.T, "part": x[1:3, 2:], "none": x[:0, :3], "one": x[:1, :2]}.items():
        np.testing.assert_array_equal(found[key], want)


def drop(header):
    del header["b"]


HOSTILE_SAFETENSORS = {
    "empty": b"",
    "no header": (1 << 40).to_bytes(8, "little") + b"{}",
    "header without end": (64).to_bytes(8, "little") + b'{"a"',
    "no JSON": (4).to_bytes(8, "little") + b"abcd",
    "deep JSON": (200000).to_bytes(8, "little") + b"[" * 200000,
    "a list": (2).to_bytes(8, "little") + b"[]",
    "a name twice": (63).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":null}',
    "too long": safetensors({"a": numbers(2)}, tail=b"\0"),
    "too short": safetensors({"a": numbers(2)})[:-1],
    "a gap": safetensors({"a": numbers(2), "b": numbers(2), "c": numbers(2)}, change=drop),
    "more elements": safetensors({"a": numbers(2)}, change=lambda h: h["a"].update(shape=[1 << 62, 1 << 62])),
    "negative": safetensors({"a": numbers(2)}, change=lambda h: h["a"].update(shape=[-2, -1])),
    "no numbers": safetensors({"a": numbers(2)}, change=lambda h: h["a"].update(shape=["2"])),
    "backwards": safetensors({"a": numbers(2)}, change=lambda h: h["a"].update(data_offsets=[8, 0])),
    "beyond": safetensors({"a": numbers(2)}, change=lambda h: h["a"].update(data_offsets=[1 << 60, (1 << 60) + 8])),
    "unknown type": safetensors({"a": numbers(2)}, {"a": "F8_E4M3"}),
    "no entry": safetensors({"a": numbers(2)}, change=lambda h: h.update(a=3)),
}


@pytest.mark.parametrize("case", HOSTILE_SAFETENSORS)
def test_hostile_safetensors_are_refused(case, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(HOSTILE_SAFETENSORS[case])
    with pytest.raises(ValueError, match=r"a\.safetensors"):
        read(tmp_path / "a.safetensors")


X = numbers(4, 5)
RUNS_CODE = name("os", "system") + tuple_of(text("touch ran")) + b"R"
BUILDS = name("builtins", "object") + b")\x81" + b"}b"
SHARED = b"]q\x00" + b"(" + b"h\x00" * 1000 + b"e"  # a list that holds itself
DEEP = b"(" * 100_000 + b"t" * 100_000


def of_x(**different):
    return archive(ordered(text("x") + tensor("0", X, **different)), [X])


HOSTILE_TORCH = {
    "empty": (b"", "expected a zip archive"),
    "no zip": (b"\x89HDF\r\n\x1a\n", "expected a zip archive"),
    "the old form, cut": (torch_files.OLD_FORM + b"\x80\x02M\xe9\x03.", "damaged"),
    "runs a program": (archive(RUNS_CODE), "asks for os.system.*state_dict"),
    "runs one inside": (archive(ordered(text("x") + tensor("0", X), text("y") + RUNS_CODE), [X]), "os.system"),
    "makes objects": (archive(BUILDS), "builtins.object"),
    "evaluates": (archive(name("builtins", "eval") + tuple_of(text("1")) + b"R"), "builtins.eval"),
    "torch's own unpickler": (archive(name("torch", "load") + tuple_of(text("x")) + b"R"), "torch.load"),
    "a persistent program": (archive(RUNS_CODE + b"Q"), "os.system"),
    "sets attributes": (archive(state_dict({"x": X}) + b"0" + b"N}b", [X]), "refused|damaged"),
    "TorchScript": (archive(ordered(), more={"archive/code/net.py": "pass"}), "TorchScript"),
    "no tensors": (archive(ordered(text("x") + whole(3))), "expected named tensors"),
    "no names": (archive(b"]"), "expected named tensors"),
    "a list in itself": (archive(SHARED), "expected named tensors"),
    "depths": (archive(DEEP), "expected named tensors"),
    "too many instructions": (archive(b"N" * 2_000_001), "more than 2000000 instructions"),
    "a place far away": (archive(b"Nr\xff\xff\xff\x7f0"), "damaged"),
    "a text without end": (archive(b"X\xff\xff\xff\x7fabc"), "damaged"),
    "a number without end": (archive(b"\x8b\xff\xff\xff\x7f1"), "damaged"),
    "no end": (archive(state_dict({"x": X}))[:-40], "damaged"),
    "nothing on the stack": (archive(b"\x85"), "damaged"),
    "a list as a key": (archive(b"}](]Nu"), "damaged"),
    "more elements": (of_x(count=1 << 60), "should have"),
    "fewer elements": (of_x(count=3), "should have"),
    "a negative count": (of_x(count=-1), "unknown kind"),
    "no elements": (archive(ordered(text("x") + tensor("9", X)), [X]), "should have"),
    "a larger shape": (of_x(shape=(1 << 40, 1 << 40)), "declares more elements"),
    "the same element often": (of_x(shape=(1 << 40, 1 << 40), strides=(0, 0)), "declares more elements"),
    "beyond the end": (of_x(offset=15, shape=(2, 5)), "declares more elements"),
    "before the start": (of_x(offset=-4), "declares more elements"),
    "backwards": (of_x(strides=(-5, 1)), "declares more elements"),
    "many axes": (of_x(shape=(1,) * 100), "unknown way"),
    "other elements": (of_x(storage="QInt8Storage"), "unknown kind"),
    "compressed": (archive(state_dict({"x": X}), [np.zeros(100_000)], zipfile.ZIP_DEFLATED), "not compressed"),
    "two pickles": (archive(ordered(), more={"b/data.pkl": b"."}), "one `data.pkl`"),
}


@pytest.mark.parametrize("case", HOSTILE_TORCH)
def test_hostile_files_of_pytorch_are_refused(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, message = HOSTILE_TORCH[case]
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read("a.pth")
    assert not (tmp_path / "ran").exists()


def test_altered_elements_are_found(tmp_path):
    data = bytearray(of_x())
    at = data.find(X.tobytes())
    data[at + 3] ^= 1
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        read(tmp_path / "a.pth")


# ---- the names ----

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


# ---- networks ----

TINY = {"input_shape": (32, 32, 3), "alpha": 0.35}


def test_networks_say_what_they_are_like():
    with pytest.raises(ValueError, match="like='timm'"):
        MobileNetV2(**TINY, like="timm")
    with pytest.raises(ValueError, match="like='keras'"):
        ResNet50(weights="imagenet", like="torchvision")
    model = MobileNetV2(**TINY, like="torchvision")
    assert model.get_layer("Conv1_pad").padding == ((1, 1), (1, 1))
    assert model.get_layer("bn_Conv1").epsilon == 1e-5
    assert model.output_shape == MobileNetV2(**TINY).output_shape
    resnet = ResNet50(include_top=False, input_shape=(33, 40, 3), like="torchvision")
    assert resnet.get_layer("conv3_block1_1_conv").strides == (1, 1)
    assert resnet.get_layer("conv3_block1_2_conv").strides == (2, 2)
    assert resnet.output_shape == (None, 2, 2, 2048)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server in the place of Keras', and an empty cache."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setattr(published, "_FOLDER", f"http://127.0.0.1:{httpd.server_address[1]}/")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


def test_published_weights_are_fetched_once(site, tmp_path, capsys):
    one = MobileNetV2(**TINY, include_top=False)
    (site / "mobilenet_v2").mkdir()
    with h5py.File(site / "mobilenet_v2" / FILE, "w") as file:
        legacy_file.write_weights(file, one)
    two = MobileNetV2(**TINY, include_top=False, weights="imagenet", name="mine")
    assert_equal(one, two)
    assert FILE in capsys.readouterr().err  # the progress bar
    cached = tmp_path / "home" / ".cconv" / "models" / FILE
    assert cached.exists()
    (site / "mobilenet_v2" / FILE).unlink()
    assert_equal(one, MobileNetV2(**TINY, include_top=False, weights="imagenet"))
    with pytest.raises(
        OSError, match=r"404.*put the file .*_0\.35_224\.h5 of that address into .*models.*save_weights"
    ):
        MobileNetV2(**TINY, weights="imagenet")


def test_what_is_published_has_the_digest(site, monkeypatch):
    files = published.Published(f"{published._FOLDER}a.h5", "0" * 32, f"{published._FOLDER}a.h5", "0" * 32)
    monkeypatch.setattr(published, "published", lambda name: files)
    (site / "a.h5").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not the expected file: expected md5 000"):
        MobileNetV2(**TINY, weights="imagenet")


def test_without_a_network_it_is_told_what_to_do(site, monkeypatch):
    monkeypatch.setattr(published, "_FOLDER", "http://127.0.0.1:9/")
    with pytest.raises(OSError, match=r"Could not download http://127.0.0.1:9/.*Without a network, put the file"):
        MobileNetV2(**TINY, weights="imagenet")


def test_what_is_not_published(site):
    with pytest.raises(ValueError, match="no weights for 'vgg16_bn'"):
        VGG16(include_top=False, input_shape=(32, 32, 3), batch_norm=True, weights="imagenet")
    with pytest.raises(ValueError, match="classes=1000. Received: classes=7"):
        MobileNetV2(**TINY, classes=7, weights="imagenet")
    with pytest.raises(ValueError, match="no weights for 'mobilenetv2_0.40_32'.*network.pth"):
        MobileNetV2(input_shape=(32, 32, 3), alpha=0.4, weights="imagenet")


@pytest.mark.parametrize("key", published._DIGESTS)
def test_addresses_are_well_formed(key):
    found = published.published(key)
    for address in (found.address, found.address_without_top):
        assert address.startswith("https://storage.googleapis.com/") and address.endswith(".h5")
        assert "//" not in address.removeprefix("https://")
    assert found.address != found.address_without_top
    assert {len(found.digest), len(found.digest_without_top)} <= {32, 64}


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
