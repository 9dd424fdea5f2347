"""The files of `TensorBoard`, read by a decoder of their own."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import cconv
from cconv.callbacks import TensorBoard


def crc32c(content):
    """Bit by bit: the remainder of the division by the polynomial of Castagnoli."""
    crc = 2**32 - 1
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc // 2 ^ (0x82F63B78 * (crc % 2))
    return crc ^ (2**32 - 1)


def masked(content):
    crc = crc32c(content)
    return ((crc >> 15 | (crc << 17) % 2**32) + 0xA282EAD8) % 2**32


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a message: number to the list of its values."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            assert key & 7 == 2
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def events(folder):
    (path,) = folder.glob("events.out.tfevents.*")
    data, at = path.read_bytes(), 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        content = data[at + 12 : at + 12 + size]
        assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at : at + 8])
        assert struct.unpack_from("<I", data, at + 12 + size)[0] == masked(content)
        yield fields(content)
        at += 16 + size


def summaries(folder):
    """(tag, step) to (plugin, shape, content or strings)."""
    found = {}
    for event in events(folder):
        for summary in event.get(5, ()):
            value = fields(fields(summary)[1][0])
            plugin = fields(fields(value[9][0])[1][0])[1][0].decode()
            tensor = fields(value[8][0])
            shape = [fields(d)[1][0] for d in fields(tensor[2][0]).get(2, ())]
            assert (value[1][0].decode(), event[2][0]) not in found
            found[value[1][0].decode(), event[2][0]] = plugin, shape, tensor.get(4, tensor.get(8))
    return found


def scalars(folder):
    found = summaries(folder)
    return {key: struct.unpack("<f", data[0])[0] for key, (plugin, _, data) in found.items() if plugin == "scalars"}


@pytest.fixture
def trained(tmp_path):
    def train(**settings):
        model = cconv.Sequential(
            [
                cconv.Input((6, 6, 2)),
                cconv.layers.Conv2D(3, 2, name="c"),
                cconv.layers.Flatten(),
                cconv.layers.Dense(2),
            ],
            name="m",
        )
        model.compile(cconv.optimizers.SGD(0.01), "mse", metrics=["mae"])
        x, y = np.random.default_rng(0).random((10, 6, 6, 2)), np.ones((10, 2))
        callback = TensorBoard(tmp_path / "logs", **settings)
        history = model.fit(x, y, 4, epochs=2, validation_data=(x, y), verbose=0, callbacks=[callback])
        return model, history.history, tmp_path / "logs"

    return train


def test_checksum():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C


def test_scalars_of_epochs(trained):
    _, history, folder = trained()
    found = scalars(folder / "train")
    for epoch in range(2):
        for name, value in (("loss", history["loss"]), ("mae", history["mae"]), ("learning_rate", [0.01, 0.01])):
            assert found.pop((f"epoch_{name}", epoch)) == pytest.approx(value[epoch])
    assert not found
    found = scalars(folder / "validation")
    for epoch in range(2):
        for name in ("loss", "mae"):
            expected = pytest.approx(history[f"val_{name}"][epoch])
            assert found.pop((f"epoch_{name}", epoch)) == expected
            assert found.pop((f"evaluation_{name}_vs_iterations", 3 * epoch + 3)) == expected
    assert not found


def test_scalars_of_batches(trained):
    _, history, folder = trained(update_freq=2, write_steps_per_second=True)
    found = scalars(folder / "train")
    assert [step for tag, step in found if tag == "batch_loss"] == [2, 4, 6]
    assert found["batch_loss", 6] == pytest.approx(history["loss"][1])
    assert all(found["batch_steps_per_second", step] > 0 for step in (2, 4, 6))
    assert all(found["epoch_steps_per_second", epoch] > 0 for epoch in (0, 1))


def test_every_batch(trained):
    assert [step for tag, step in scalars(trained(update_freq="batch")[2] / "train") if tag == "batch_mae"] == [
        *range(1, 7)
    ]


def test_histograms_and_images(trained):
    model, _, folder = trained(histogram_freq=1, write_images=True)
    found = summaries(folder / "train")
    for variable in model.weights:
        plugin, shape, data = found[f"{variable.path}/histogram", 1]
        assert (plugin, shape) == ("histograms", [30, 3])
        table = np.frombuffer(data[0]).reshape(30, 3)
        values = variable.numpy().astype(np.float64)
        assert table[:, 2].sum() == values.size
        counts = [((values >= low) & (values < high)).sum() for low, high, _ in table[:-1]]
        np.testing.assert_array_equal(table[:-1, 2], counts)
        plugin, shape, strings = found[f"{variable.path}/image", 1]
        assert (plugin, shape) == ("images", [3])
        image = np.array(Image.open(io.BytesIO(strings[2])))
        assert image.shape == (int(strings[1]), int(strings[0])) and image.dtype == np.uint8
    kernel = model.get_layer("c").kernel.numpy()  # 2x2 tiles of two input channels (rows) and three output channels
    image = np.array(Image.open(io.BytesIO(found["m/c/kernel/image", 1][2][2])))
    assert image.shape == (2 * 3 - 1, 3 * 3 - 1)
    grey = np.round((kernel - kernel.min()) / (kernel.max() - kernel.min()) * 255)
    np.testing.assert_allclose(image[3:5, 6:8], grey[:, :, 1, 2], atol=1)


def test_only_every_other_epoch(trained):
    found = summaries(trained(histogram_freq=2)[2] / "train")
    assert {step for (tag, step), (plugin, *_) in found.items() if plugin == "histograms"} == {0}


def test_graph(trained):
    folder = trained()[2]
    (graph,) = [event[4][0] for event in events(folder / "train") if 4 in event]
    nodes = {node[1][0].decode(): node for node in map(fields, fields(graph)[1])}
    conv = nodes["c/conv"]
    assert conv[2] == [b"conv"] and conv[3][1] == b"m/c/kernel"
    assert all(x.decode() in nodes for node in nodes.values() for x in node.get(3, ()))
    shape = fields(fields(fields(fields(conv[5][0])[2][0])[1][0])[7][0])
    sizes = [fields(d)[1][0] for d in shape[2]]
    assert sizes == [2**64 - 1, 5, 5, 3]  # -1: unknown


def test_no_graph(trained):
    assert not [event for event in events(trained(write_graph=False)[2] / "train") if 4 in event]


def test_first_event_says_what_the_file_is(trained):
    assert next(events(trained()[2] / "train"))[3] == [b"brain.Event:2"]


def test_refuses_what_it_does_not_do():
    with pytest.raises(NotImplementedError, match="profile_batch"):
        TensorBoard(profile_batch=2)
    with pytest.raises(NotImplementedError, match="[Ee]mbeddings"):
        TensorBoard(embeddings_freq=1)
    for settings in ({"update_freq": "step"}, {"update_freq": 0}, {"histogram_freq": -1}):
        with pytest.raises((ValueError, TypeError)):
            TensorBoard(**settings)
