"""What callbacks tell of themselves."""

import numpy as np
import pytest

import cconv
from cconv import callbacks


def halved(epoch, lr):
    return lr / 2


@pytest.mark.parametrize(
    ("callback", "told"),
    [
        (
            callbacks.EarlyStopping("loss", min_delta=0.1, patience=3),
            "<EarlyStopping monitor='loss', min_delta=0.1, patience=3, verbose=0, mode='auto', baseline=None, "
            "restore_best_weights=False, start_from_epoch=0>",
        ),
        (
            callbacks.ModelCheckpoint("a.keras", save_best_only=True, initial_value_threshold=0.5),
            "<ModelCheckpoint filepath='a.keras', monitor='val_loss', verbose=0, save_best_only=True, "
            "save_weights_only=False, mode='auto', save_freq='epoch', initial_value_threshold=0.5>",
        ),
        (
            callbacks.ReduceLROnPlateau(factor=0.5, min_lr=0.01),
            "<ReduceLROnPlateau monitor='val_loss', factor=0.5, patience=10, verbose=0, mode='auto', min_delta=0.0001, "
            "cooldown=0, min_lr=0.01>",
        ),
        (callbacks.CSVLogger("log.csv"), "<CSVLogger filename='log.csv', separator=',', append=False>"),
        (callbacks.LearningRateScheduler(halved), f"<LearningRateScheduler schedule={halved!r}, verbose=0>"),
        (callbacks.LambdaCallback(on_epoch_begin=print), "<LambdaCallback on_epoch_begin=<built-in function print>>"),
        (callbacks.TerminateOnNaN(), "<TerminateOnNaN raise_error=False>"),
        (callbacks.ProgbarLogger(), "<ProgbarLogger>"),
        (callbacks.History(), "<History epochs=0>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_settings(callback, told):
    assert repr(callback) == told


def test_a_callback_of_ones_own():
    class Record(callbacks.Callback):
        def __init__(self, every, path):
            super().__init__()
            self.every = every

    assert repr(Record(3, "nowhere")) == "<Record every=3>"


def test_training_does_not_change_what_is_told():
    model = cconv.Sequential([cconv.Input((1,)), cconv.layers.Dense(1, kernel_initializer="ones")])
    model.compile(cconv.optimizers.SGD(0.0), "mse")
    stopping = callbacks.EarlyStopping("loss", min_delta=0.1, patience=1)
    before, x = repr(stopping), np.ones((4, 1), np.float32)
    history = model.fit(x, x * 0, epochs=5, validation_data=(x, x * 3), callbacks=[stopping], verbose=0)
    assert repr(stopping) == before
    assert repr(history) == "<History epochs=2, loss=1, val_loss=4>"
    assert repr(callbacks.CallbackList([stopping])) == f"<CallbackList callbacks=[{before}], params={{}}>"
