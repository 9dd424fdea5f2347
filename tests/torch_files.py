"""Writes PyTorch's files without PyTorch: the instructions of the pickle by hand, so that they may be wrong."""

import io
import zipfile

import numpy as np

STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}
OLD_FORM = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


def text(value):
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def whole(value):
    data = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def tensor(key, array, shape=None, strides=None, offset=0, count=None, storage=None):
    """The instructions that make a tensor, with what differs from the truth."""
    storage = name("torch", storage or STORAGES[array.dtype.str[1:]])
    kept = tuple_of(text("storage"), storage, text(key), text("cpu"), whole(array.size if count is None else count))
    shape = array.shape if shape is None else shape
    if strides is None:
        strides = [int(np.prod(shape[k + 1 :], dtype=object)) for k in range(len(shape))]
    rest = (whole(offset), tuple_of(*map(whole, shape)), tuple_of(*map(whole, strides)), b"\x89", ordered())
    return name("torch._utils", "_rebuild_tensor_v2") + tuple_of(kept + b"Q", *rest) + b"R"


def ordered(*items):
    """An ordered dictionary of instructions that make keys and values."""
    return name("collections", "OrderedDict") + b")R" + b"(" + b"".join(items) + b"u"


def state_dict(arrays, **different):
    items = [text(n) + tensor(str(k), a, **different) for k, (n, a) in enumerate(arrays.items())]
    return ordered(*items)


def archive(pickled, arrays=(), compression=zipfile.ZIP_STORED, more=None):
    """The bytes of a file of these instructions, with the elements of arrays beside them."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as packed:
        packed.writestr("archive/data.pkl", b"\x80\x02" + pickled + b".")
        packed.writestr("archive/byteorder", "little")
        for k, array in enumerate(arrays):
            packed.writestr(f"archive/data/{k}", array.tobytes())
        for member, data in (more or {}).items():
            packed.writestr(member, data)
    return memory.getvalue()


def save(path, arrays):
    """A state dict of arrays, as `torch.save` writes it."""
    arrays = {n: np.asarray(a, order="C") for n, a in arrays.items()}
    path.write_bytes(archive(state_dict(arrays), arrays.values()))
