"""Kills a process with SIGKILL while it saves a model over and over; each time the file must load, whole.

The model counts its saves in all of its weights, so that a mixture of two saves would show.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

import cconv

SUFFIXES = (".keras", ".weights.h5")


def make_model():
    return cconv.Sequential([cconv.Input((32,)), cconv.layers.Dense(300), cconv.layers.Dense(300)])


def fill(model, number):
    for variable in model.variables:
        variable.assign(np.full(variable.shape, number, np.float32))


def save(model, path):
    (model.save if path.endswith(".keras") else model.save_weights)(path)


def save_for_ever(path, number):
    """Saves with ever higher numbers; says so before the first one. Runs until killed."""
    model = make_model()
    print("started", flush=True)
    while True:
        number += 1
        fill(model, number)
        save(model, path)


def load_number(path):
    """The number that the saved model counts; an error if the file is not whole."""
    if path.endswith(".keras"):
        model = cconv.saving.load_model(path)
    else:
        model = make_model()
        model.load_weights(path)
    numbers = {float(v) for variable in model.variables for v in np.unique(variable.numpy())}
    assert len(numbers) == 1, f"{path} holds a mixture of the saves {sorted(numbers)}"
    return int(numbers.pop())


def kill_saves(kills, suffix, seed=0, say=lambda *_: None):
    """Kills a saving process `kills` times. Returns the number of the last save that was found."""
    chosen = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"model{suffix}")
        model = make_model()
        fill(model, 0)
        save(model, path)
        number = 0
        for k in range(kills):
            process = subprocess.Popen(
                [sys.executable, os.path.abspath(__file__), "--save", path, "--from", str(number)],
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cconv.__file__))},
            )
            try:
                assert process.stdout.readline(), "the saving process did not start"
                time.sleep(chosen.uniform(0, 0.15))
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
            found = load_number(path)
            assert found >= number, f"after kill {k + 1} the file holds save {found}, older than save {number}"
            say(f"kill {k + 1}: save {found} is whole")
            number = found
            for name in os.listdir(folder):  # what a killed process leaves behind
                if name.endswith(".tmp"):
                    os.unlink(os.path.join(folder, name))
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="kills per file format")
    parser.add_argument("--save", help=argparse.SUPPRESS)
    parser.add_argument("--from", type=int, default=0, dest="first", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.save:
        save_for_ever(arguments.save, arguments.first)
    for suffix in SUFFIXES:
        saves = kill_saves(arguments.kills, suffix)
        print(f"{suffix}: {arguments.kills} kills in {saves} saves, every file whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
