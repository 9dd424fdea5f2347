"""Gives odd arguments to every public class and function: no crash, no hang, and errors of four kinds only.

`make fuzz-arguments` runs it; a finding is printed with the number that repeats it:
`python tests/robustness/fuzz_arguments.py --first NUMBER --count 1 --verbose`.
"""

import argparse
import faulthandler
import importlib
import inspect
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
import zlib

import numpy as np

import cconv

MODULES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "regularizers",
    "constraints",
    "callbacks",
    "ops",
    "utils",
    "activations",
)
ALLOWED = (ValueError, TypeError, MemoryError, NotImplementedError)
OF_ITS_OWN = {"cconv.ops.get_item": IndexError, "cconv.utils.load_img": FileNotFoundError}  # as NumPy and Pillow
SECONDS = 5  # of one trial
MEMORY = 3 << 30
# what they do to the process has no place among other trials
LEFT_OUT = {"Progbar", "show_config", "CallbackList", "clear_session", "disable_interactive_logging"}


class Hang(BaseException):
    """A trial took too long."""


class Odd:
    """An object that is nothing in particular."""

    def __repr__(self):
        return "Odd()"


def odd_values(chosen):
    """Values that are seldom meant, made anew since some can be changed."""
    t = cconv.Input((4, 4, 2))
    return [
        None,
        True,
        False,
        -1,
        0,
        1,
        2,
        7,
        0.0,
        -0.5,
        1.5,
        1e-300,
        1e300,
        float("nan"),
        float("inf"),
        -float("inf"),
        2**31,
        2**63,
        -(2**63),
        10**30,
        1j,
        "",
        "x",
        "same",
        "relu",
        "mean",
        b"x",
        [],
        (),
        {},
        set(),
        [None],
        [[], []],
        (1, 2),
        (0, 0),
        (-1, -1),
        (2, 2, 2),
        (None, 4),
        [1, "x"],
        [[1], [1, 2]],
        {"a": 1},
        {"class_name": "x", "config": {}},
        {"class_name": 3, "config": 4},
        {1: 2},
        Odd(),
        Odd,
        lambda *args: None,
        lambda x: x,
        len,
        Ellipsis,
        slice(None),
        range(3),
        np.float32(2),
        np.int64(-3),
        np.bool_(True),
        np.array(3),
        np.zeros(0),
        np.zeros((2, 0)),
        np.ones((2, 3), np.float64),
        np.ones((2, 3, 3, 2), np.float32),
        np.full((2, 3), np.nan, np.float32),
        np.arange(6).reshape(2, 3),
        np.arange(6)[::-2],
        np.array(["x"]),
        np.array([1j]),
        np.array([object()]),
        np.array([10**18, -1]),
        np.broadcast_to(np.float32(1), (2**6, 2**34)),
        np.zeros(3, [("a", int)]),
        np.array("2020", "datetime64"),
        t,
        t[:, 0],
        [t, t],
        cconv.Variable(np.ones((2, 3), np.float32)),
        cconv.layers.Dense(2),
        cconv.losses.MeanSquaredError(),
        chosen.randint(-5, 10),
    ]


def sensible(name, chosen):
    """A value that suits a parameter of this name."""
    if name in ("x", "x1", "x2", "inputs", "y_true", "y_pred", "w", "values", "logits", "output", "target", "images"):
        shape = chosen.choice([(2, 4, 4, 2), (2, 3), (2, 5, 2), (1,), (2, 3, 4, 5, 2)])
        return np.random.default_rng(0).random(shape, dtype=np.float32)
    table = {
        "units": 3,
        "filters": 2,
        "kernel_size": 2,
        "pool_size": 2,
        "axis": -1,
        "rate": 0.5,
        "shape": (2, 3),
        "activation": "relu",
        "name": None,
    }
    return table.get(name, chosen.choice([1, 2, (1, 1), "same", 0.5, None]))


def targets():
    """All public classes and functions, by their full name."""
    found = {}
    for module in MODULES:
        there = importlib.import_module(f"cconv.{module}")
        for name in sorted(there.__all__):
            item = getattr(there, name)
            if callable(item) and name not in LEFT_OUT:
                found[f"cconv.{module}.{name}"] = item
    return found


TARGETS = targets()


def arguments(function, chosen):
    """Arguments for a call: sensible ones, odd ones, or none, for each parameter."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return (), {}
    odd, oddness, kwargs = odd_values(chosen), chosen.choice([0.15, 0.5]), {}
    for p in parameters:
        if p.name == "self" or p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
            continue
        needed = p.default is p.empty
        if chosen.random() < oddness:
            kwargs[p.name] = chosen.choice(odd)
        elif needed:
            kwargs[p.name] = sensible(p.name, chosen)
    if chosen.random() < 0.03:
        kwargs[chosen.choice(["foo", "dtype", "name", "trainable"])] = chosen.choice(odd)
    return (), kwargs


def given(chosen):
    """What an object is called with."""
    return chosen.choice([*odd_values(chosen), *(sensible("x", chosen) for _ in range(40))])


def steps_of(item, made, chosen):
    """What is done with an object once it is made, as pairs of a name and a function."""
    if isinstance(made, cconv.Layer):
        x = given(chosen)
        yield "call", lambda: made(x)
        yield "compute_output_shape", lambda: made.compute_output_shape(getattr(x, "shape", x))
        yield "count_params", lambda: made.count_params() if made.built else None
    elif isinstance(made, (cconv.Metric, cconv.Loss)):
        a, b = given(chosen), given(chosen)
        yield "call", lambda: made(a, b)
        yield "call with weights", lambda: made(a, b, sample_weight=given(chosen))
    elif isinstance(made, cconv.Initializer):
        shape = chosen.choice([(2, 3), given(chosen)])
        yield "call", lambda: made(shape)
    elif isinstance(made, cconv.Optimizer):
        v = cconv.Variable(np.ones((2, 3), np.float32))
        yield "apply", lambda: made.apply([given(chosen)], [v])
    elif inspect.isclass(item) and callable(made):
        x = given(chosen)
        yield "call", lambda: made(x)
    if inspect.isclass(item) and hasattr(made, "get_config"):
        yield "get_config", made.get_config
        yield "from_config", lambda: type(made).from_config(made.get_config())
    yield "repr", lambda: repr(made)


def run(number, verbose=False):
    """One trial. Returns what is wrong about it, or None."""
    chosen = random.Random(number)
    # a new name takes trials of its own and leaves the others what they were
    name = min(TARGETS, key=lambda target: zlib.crc32(f"{number} {target}".encode()))
    item = TARGETS[name]
    args, kwargs = arguments(item, chosen)
    what = f"{name}({', '.join(f'{k}={short(v)}' for k, v in kwargs.items())})"
    step = "make"
    if verbose:
        print(what, flush=True)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        made = item(*args, **kwargs)
        for step, use in steps_of(item, made, chosen):
            if verbose:
                print(" ", step, flush=True)
            try:
                use()
            except ALLOWED as error:
                if verbose:
                    print(f"    {type(error).__name__}: {error}")
    except ALLOWED as error:
        if verbose:
            print(f"  {type(error).__name__}: {error}")
    except Hang:
        return f"{what}: {step} took more than {SECONDS} s"
    except BaseException as error:
        if verbose:
            traceback.print_exc()
        if isinstance(error, OF_ITS_OWN.get(name, ())):
            return None
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        return f"{what}: {step}: {type(error).__name__}: {short(error)} ({where})"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def short(value):
    text = str(value) if isinstance(value, BaseException) else repr(value)
    return " ".join(text.split())[:100]


def child(first, count, verbose):
    """Trials in this process. The number of the one under way stands in a file, in case none comes after it."""

    def ring(*_):
        raise Hang

    signal.signal(signal.SIGALRM, ring)
    faulthandler.enable()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(tempfile.mkdtemp())
    for number in range(first, first + count):
        sys.stderr.write(f"@{number}\n")
        found = run(number, verbose)
        if found:
            print(f"{number}: {found}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--count", type=int, default=20000, help="trials")
    parser.add_argument("--verbose", action="store_true", help="say what is called")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given_ = parser.parse_args()
    if given_.child:
        child(given_.first, given_.count, given_.verbose)
        return 0
    first, end, findings = given_.first, given_.first + given_.count, 0
    while first < end:
        count = min(1000, end - first)
        command = [sys.executable, os.path.abspath(__file__), "--child", "--first", str(first), "--count", str(count)]
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cconv.__file__))}
        try:
            done = subprocess.run(
                command + ["--verbose"] * given_.verbose,
                capture_output=True,
                text=True,
                env=environment,
                timeout=60 + SECONDS * count,
            )
            output, errors, status = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired as error:
            output, errors, status = (error.stdout or b"").decode(), (error.stderr or b"").decode(), "a time-out"
        print(output, end="", flush=True)
        findings += len(output.splitlines()) if not given_.verbose else 0
        first += count
        if status != 0:
            last = int([line for line in errors.splitlines() if line.startswith("@")][-1][1:])
            print(f"{last}: the process ended with {status}\n{errors[-1500:]}", flush=True)
            findings, first = findings + 1, last + 1
    print(f"{given_.count} trials, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
