"""What an installed cconv must do, wherever it came from: be imported, train, save, load, predict the same.

Run by check_packages.py and by cibuildwheel from a folder that holds no cconv, so that the installed one is found.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import cconv


def main() -> int:
    model = cconv.Sequential(
        [
            cconv.Input((8, 8, 1)),
            cconv.layers.Conv2D(4, 3, activation="relu"),
            cconv.layers.MaxPooling2D(),
            cconv.layers.Flatten(),
            cconv.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).random((6, 8, 8, 1), np.float32), np.arange(6) % 3
    first = model.train_on_batch(x, y)
    for _ in range(20):
        last = model.train_on_batch(x, y)
    assert last < first, f"expected a loss below {first} after 21 steps, found {last}"
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model.keras"))
        model.save(path)
        loaded = cconv.saving.load_model(path)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    facts = cconv.show_config(mode="dicts")
    print(
        f"cconv {cconv.__version__} of {Path(cconv.__file__).parent}: loss {first:.3f} to {last:.3f}, {facts['isa']}, "
        f"{facts['threads']} threads ({facts['threads_reason']})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
