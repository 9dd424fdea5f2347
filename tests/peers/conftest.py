"""Keras runs on its PyTorch backend; said before anything imports it."""

import os

os.environ["KERAS_BACKEND"] = "torch"


def pytest_configure(config):
    # Keras' own words about its PyTorch backend and NumPy 2: nothing of ours, and thousands of them.
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    )
