"""Flips every single bit of a saved model, cuts the file at every byte, and tries to load what remains.

Each damaged file must be refused with a ValueError, or load with exactly the values that were saved.
"""

import argparse
import os
import random
import sys
import tempfile
import time

import numpy as np

import cconv


def small_model():
    """A compiled model with as few weights as show every part of the file format."""
    model = cconv.Sequential([cconv.Input((4, 4, 1)), cconv.layers.Conv2D(1, 3), cconv.layers.Flatten()])
    model.compile(cconv.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.train_on_batch(np.ones((2, 4, 4, 1), np.float32), np.ones((2, 4), np.float32))
    return model


def variables(model):
    """All of a model and its optimizer."""
    return [*model.weights, *model.optimizer.variables]


def values(variables):
    """Their numbers."""
    return [np.array(v.numpy()) for v in variables]


class Checker:
    """Loads damaged copies of one file of one model.

    Args:
        kind: ".keras" or ".weights.h5".
        folder: Where to put the copies.
    """

    def __init__(self, kind, folder):
        self.kind = kind
        self.path = os.path.join(folder, f"damaged{kind}")
        self.model = small_model()
        self.variables = variables(self.model)
        self.expected = values(self.variables)
        (self.model.save if kind == ".keras" else self.model.save_weights)(self.path)
        with open(self.path, "rb") as file:
            self.whole = file.read()
        self.refused = self.same = 0

    def check(self, data, what):
        """Raises AssertionError if the damaged file loads with other values or fails in another way."""
        with open(self.path, "r+b") as file:  # opened anew, "wb", it would be written through to the disk each time
            file.write(data)
            file.truncate()
        try:
            if self.kind == ".keras":
                loaded = values(variables(cconv.saving.load_model(self.path)))
            else:
                self.model.load_weights(self.path)
                loaded = values(self.variables)
        except ValueError as error:
            assert str(error), f"{what}: refused without a word"
            self.refused += 1
            loaded = values(self.variables)  # nothing half-loaded
        else:
            self.same += 1
        for a, b in zip(self.expected, loaded, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes(), what

    def flip(self, bit):
        """Flips one bit."""
        damaged = bytearray(self.whole)
        damaged[bit // 8] ^= 1 << bit % 8
        self.check(bytes(damaged), f"{self.kind}: bit {bit % 8} of byte {bit // 8} flipped")

    def cut(self, size):
        """Cuts the file; a shorter file must be refused."""
        before = self.refused
        self.check(self.whole[:size], f"{self.kind}: cut to {size} bytes")
        assert self.refused == before + 1, f"{self.kind}: cut to {size} of {len(self.whole)} bytes was loaded"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="number of bits and of cuts to try; default: all")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for kind in (".keras", ".weights.h5"):
        with tempfile.TemporaryDirectory() as folder:
            start = time.monotonic()
            checker = Checker(kind, folder)
            bits, cuts = range(8 * len(checker.whole)), range(len(checker.whole))
            if arguments.sample:
                chosen = random.Random(arguments.seed)
                bits, cuts = (chosen.sample(r, min(arguments.sample, len(r))) for r in (bits, cuts))
            for bit in bits:
                checker.flip(bit)
            for size in cuts:
                checker.cut(size)
            print(
                f"{kind}: {len(checker.whole)} bytes, {len(bits)} bits flipped, {len(cuts)} cuts: {checker.refused} "
                f"refused, {checker.same} loaded with the same values, 0 others ({time.monotonic() - start:.0f} s)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
