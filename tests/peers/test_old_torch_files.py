"""State dicts in the form of PyTorch before 1.6, written by PyTorch; damaged and hostile ones are refused."""

import os
import pickle

import numpy as np
import pytest

from cconv.saving.tensor_files import open_tensors
from cconv.saving.torch_old_file import MAGIC

torch = pytest.importorskip("torch", reason="needs PyTorch")


def saved(value, path):
    torch.save(value, path, _use_new_zipfile_serialization=False)
    return path


def read(path):
    with open_tensors(path) as tensors:
        return {name: tensor.read() for name, tensor in tensors.items()}


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "bfloat16", "int64", "int8", "bool"])
def test_tensors_of_every_kind(tmp_path, kind):
    x = torch.arange(24).reshape(4, 6).to(getattr(torch, kind))
    value = {"x": x, "turned": x.t(), "part": x[1:3, ::2], "none": x[:0], "one": x[2, 3], "again": x}
    found = read(saved(value, tmp_path / "m.pth"))
    assert list(found) == list(value)
    for name, tensor in value.items():
        expected = tensor.float().numpy() if kind in ("float16", "bfloat16") else tensor.numpy()
        np.testing.assert_array_equal(found[name], expected)


def test_a_state_dict_and_one_in_a_checkpoint(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    for value in (net.state_dict(), {"state_dict": net.state_dict(), "epoch": 3}):
        found = read(saved(value, tmp_path / "m.pth"))
        assert set(found) == set(net.state_dict())
        assert all(np.array_equal(found[name], tensor.numpy()) for name, tensor in net.state_dict().items())


def test_a_file_that_is_cut_or_longer_is_refused(tmp_path):
    data = saved({"x": torch.ones(5, 3), "y": torch.zeros(2)}, tmp_path / "m.pth").read_bytes()
    part = tmp_path / "part.pth"
    for end in [*range(len(MAGIC), len(data), 5), len(data) + 8]:
        part.write_bytes((data + bytes(8))[:end])
        with pytest.raises(ValueError, match=r"part\.pth"):
            read(part)


def test_changed_bytes_crash_nothing(tmp_path):
    data = bytearray(saved({"x": torch.ones(5, 3), "y": torch.zeros(2)}, tmp_path / "m.pth").read_bytes())
    rng = np.random.default_rng(0)
    part = tmp_path / "part.pth"
    for _ in range(300):
        changed = bytearray(data)
        for at in rng.integers(len(MAGIC), len(data), 3):
            changed[at] = rng.integers(256)
        part.write_bytes(changed)
        try:
            read(part)
        except ValueError as error:
            assert "part.pth" in str(error)


class Program:
    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_a_pickle_that_would_run_code_is_refused(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    parts = [1001, {"little_endian": True}, {}, []]
    parts[place - 1] = Program()
    path = tmp_path / "bad.pth"
    path.write_bytes(MAGIC + b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(ValueError, match=r"bad\.pth"):
        read(path)
    assert not (tmp_path / "ran").exists()
