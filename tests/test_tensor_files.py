"""Tensors by name, from `.safetensors` and PyTorch's files: the formats, damage, hostile files."""

import zipfile

import numpy as np
import pytest
import torch_files
from safetensors_files import safetensors
from torch_files import archive, name, ordered, state_dict, tensor, text, tuple_of, whole

from cconv.saving.tensor_files import open_tensors

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def read(path):
    with open_tensors(path) as tensors:
        return {key: value.read() for key, value in tensors.items()}


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
