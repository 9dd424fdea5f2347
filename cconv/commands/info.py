"""Tell what this installation is: version, instructions, threads, and which optional libraries there are."""

from __future__ import annotations

import argparse
import json

from .. import _core
from .._config_report import config, installed_version, show_config

# distribution -> what it is for
OPTIONAL = {
    "matplotlib": "figures (cconv.visualization), the report of `train`",
    "Pillow": "image files: `train`, `predict`",
    "scikit-learn": "cconv.wrappers",
    "scipy": "functions of cconv.ops on arrays",
    "pandas": "tables as data",
    "torch": "DataLoader as data",
    "ml_dtypes": "bfloat16 arrays as data",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the facts as JSON")


def run(options: argparse.Namespace) -> int:
    versions = {name: installed_version(name) for name in OPTIONAL}
    if options.json:
        facts = config() | {"ops": len(_core.ops()), "optional": versions}
        print(json.dumps(facts, indent=2))
        return 0
    show_config()
    print(f"{'ops':>13}  {len(_core.ops())} of the C core")
    print("\noptional libraries")
    for name, purpose in OPTIONAL.items():
        print(f"{name:>13}  {versions[name]:<14} {purpose}")
    return 0
