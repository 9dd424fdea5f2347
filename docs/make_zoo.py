"""Writes docs/zoo.md, the networks of `cconv.applications`, from the networks themselves: `make docs`.

    python docs/make_zoo.py                                         the page, with the times of docs/zoo_times.json
    python docs/make_zoo.py --times build/benchmarks/applications.json    those of a run of the benchmark first

Times are those of `python benchmarks applications`; only what the page shows of them is kept in docs/zoo_times.json.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PAGE, TIMES = DOCS / "zoo.md", DOCS / "zoo_times.json"
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "benchmarks")]
import applications as benchmark  # noqa: E402

import cconv  # noqa: E402
from cconv.applications.published import published  # noqa: E402

OTHER_FORMS = {"AlexNet": {"form": "one_tower"}, "InceptionV1": {"form": "batch_norm"}}  # networks that others have
HEAD = """# Networks

<!-- Written by docs/make_zoo.py from cconv/applications and docs/zoo_times.json: `make docs`. -->

{count} networks of [`cconv.applications`](api/applications.md), as their functions make them by default. Parameters are
those that `model.count_params()` counts, averages of batch normalization included; multiply-adds those of convolutions
and dense layers for one image of the size given.

**Weights.** Files that `model.save_weights` has written here load into each. `"imagenet"`: `weights="imagenet"`
downloads what Keras has published, and files that Keras writes of its own network load as well. The others are files of
PyTorch, `.pth` or `.safetensors`, whose names the function knows: `weights="file.pth"`; for other names see
`cconv.saving.load_weights`.

{times}

| network | parameters | multiply-adds | input | weights | one image | PyTorch | training step | PyTorch |
|---|---|---|---|---|---|---|---|---|
"""
NOT_MEASURED = (
    "**Times** have not been measured: `python benchmarks applications`, then `python docs/make_zoo.py --times`."
)
MEASURED = """**Times** are milliseconds: one image (`predict_on_batch`), and a training step (`train_on_batch`, SGD
with momentum, without dropout) of as many images as the parentheses say; beside PyTorch {torch}, at the best of its
ways. {cpu}, {threads} threads, {date}. [Benchmarks](benchmarks.md) tell how; `python benchmarks applications` measures
them on your machine."""


def amount(x: float) -> str:
    """A number of multiply-adds in words of three digits."""
    return f"{x / 1e9:.3g} G" if x >= 1e9 else f"{x / 1e6:.3g} M"


def sources(model: Any, where: str = "") -> list[str]:
    """Whose files of PyTorch fit a model; those of other networks, whose names it knows as well, do not."""
    fitting = (table.source for table in model._name_tables if not (table.note or table.refused))
    return [name + where for name in dict.fromkeys(fitting)]


def weights_of(name: str, model: Any) -> str:
    """Which files there are for a network."""
    found = ['`"imagenet"`'] if published(model.name) else []
    found += sources(model)
    function = getattr(cconv.applications, name)
    forms = [OTHER_FORMS[name]] if name in OTHER_FORMS else []
    if "like" in inspect.signature(function).parameters:
        forms.append({"like": "torchvision"})
    for form in forms:
        ((key, value),) = form.items()
        with benchmark.without_drawing():
            found += sources(function(**form), f' (`{key}="{value}"`)')
    return ", ".join(found) or "-"


def row(name: str, times: dict[str, Any]) -> str:
    """A network's line."""
    model, network = benchmark.model_of(name), benchmark.APPLICATIONS[name]
    own = times.get("networks", {}).get(name, {})
    image, step = own.get("image", {}), own.get("step", {})
    cells = [
        f"`{name}`",
        f"{model.count_params():,}",
        amount(benchmark.multiply_adds(model)),
        " x ".join(map(str, network.image)),
        weights_of(name, model),
        *(milliseconds(image.get(engine)) for engine in ("cconv", "torch")),
        *(milliseconds(step.get(engine)) for engine in ("cconv", "torch")),
    ]
    if step:
        cells[-2] += f" ({step['batch']})"
    return f"| {' | '.join(cells)} |\n"


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{1e3 * seconds:.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.3g}"


def names() -> list[str]:
    """All networks, in the order of their names."""
    found = vars(cconv.applications)
    return [name for name in cconv.applications.__all__ if inspect.isfunction(found[name])]


def known_times() -> dict[str, Any]:
    return json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.exists() else {}


def head(times: dict[str, Any]) -> str:
    told = MEASURED.format(**times["about"]) if times else NOT_MEASURED
    return HEAD.format(count=len(names()), times=told)


def page() -> str:
    """The whole page."""
    times = known_times()
    return head(times) + "".join(row(name, times) for name in names())


def take_times(path: Path) -> None:
    """Keeps what the page shows of a run's rows; networks that it does not have stay as they were."""
    run, networks = json.loads(path.read_text(encoding="utf-8")), known_times().get("networks", {})
    for found in run["rows"]:
        own = networks.setdefault(found["case"], {})
        if "failed" in found:
            continue
        seconds = {engine: found["seconds"][engine] for engine in ("cconv", "torch") if engine in found["seconds"]}
        if found["mode"] == "train":
            own["step"] = {"batch": found["batch"], **seconds}
        elif found["batch"] == 1:
            own["image"] = seconds
    about = {key: run[key] for key in ("cpu", "threads", "date")} | {"torch": run["engines"]["torch"]["version"]}
    kept = {"about": about, "networks": dict(sorted(networks.items()))}
    TIMES.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=Path, help="applications.json of a run of the benchmark")
    options = parser.parse_args()
    if options.times:
        take_times(options.times)
    PAGE.write_text(page(), encoding="utf-8")
