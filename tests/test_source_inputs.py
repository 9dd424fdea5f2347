"""Where symbolic tensors come from, and where messages go."""

import logging

import numpy as np
import pytest

import cconv
from cconv.utils import get_source_inputs, is_keras_tensor


def test_source_inputs_are_met_once_each():
    a, b = cconv.Input((4,), name="a"), cconv.Input((4,), name="b")
    dense = cconv.layers.Dense(3)
    y = cconv.layers.Add()([dense(b), dense(a)]) * 2.0 + dense(b)
    assert get_source_inputs(y) == [b, a]
    assert get_source_inputs(a) == [a]
    with pytest.raises(ValueError, match="symbolic"):
        get_source_inputs(np.zeros(3))


def test_is_keras_tensor():
    assert is_keras_tensor(cconv.Input((2,))) and not is_keras_tensor(np.zeros(2)) and not is_keras_tensor(None)


def test_messages_go_to_the_log_where_they_are_not_to_be_shown(capsys, caplog):
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    cconv.utils.disable_interactive_logging()
    try:
        assert not cconv.config.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, "cconv"):
            model.fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=2)
            model.summary()
    finally:
        cconv.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert "Epoch 2/2" in caplog.text and "loss: 0" in caplog.text and "Param #" in caplog.text
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)))
    assert "1/1 - " in capsys.readouterr().out


def test_quantize_and_export_say_what_there_is_instead():
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)], name="small")
    with pytest.raises(NotImplementedError, match="'small'.*float32.*int8"):
        model.quantize("int8")
    with pytest.raises(NotImplementedError, match="'small'.*onnx.*save"):
        model.export("model")


def test_files_that_are_not_written(tmp_path):
    model = cconv.Sequential([cconv.Input((2,)), cconv.layers.Dense(1)])
    with pytest.raises(ValueError, match="zipped=False"):
        model.save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(ValueError, match="max_shard_size=1"):
        model.save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    assert not list(tmp_path.iterdir())
