"""Keras runs on its PyTorch backend; said before anything imports it."""

import os

os.environ["KERAS_BACKEND"] = "torch"
