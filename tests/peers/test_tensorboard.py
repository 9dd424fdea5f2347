"""The files of `TensorBoard` as TensorBoard's own reader finds them."""

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

import cconv


def test_tensorboard_reads_everything(tmp_path):
    model = cconv.Sequential(
        [cconv.Input((6, 6, 2)), cconv.layers.Conv2D(3, 2), cconv.layers.Flatten(), cconv.layers.Dense(2)]
    )
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.random.default_rng(0).random((10, 6, 6, 2)), np.ones((10, 2))
    callback = cconv.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True, update_freq=2)
    history = model.fit(x, y, 4, epochs=2, validation_data=(x, y), verbose=0, callbacks=[callback]).history
    for run, prefix in (("train", ""), ("validation", "val_")):
        reader = EventAccumulator(str(tmp_path / run), size_guidance={"tensors": 0}).Reload()
        for name in ("loss", "mae"):
            found = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in reader.Tensors(f"epoch_{name}")]
            np.testing.assert_allclose(found, history[prefix + name], rtol=1e-6)
    reader = EventAccumulator(str(tmp_path / "train"), size_guidance={"tensors": 0}).Reload()
    assert reader.PluginTagToContent("scalars").keys() == {
        "batch_loss", "batch_mae", "epoch_loss", "epoch_mae", "epoch_learning_rate"
    }  # fmt: skip
    assert len(reader.PluginTagToContent("histograms")) == len(reader.PluginTagToContent("images")) == 4
    tag = f"{model.layers[0].kernel.path}/histogram"
    table = tensor_util.make_ndarray(reader.Tensors(tag)[1].tensor_proto)
    counts, edges = np.histogram(model.layers[0].kernel.numpy().astype(np.float64), 30)
    np.testing.assert_allclose(table, np.stack([edges[:-1], edges[1:], counts], 1))
    assert {node.op for node in reader.Graph().node} >= {"input", "conv", "flatten", "dense"}
