"""The benchmark script runs, and compares its results with PyTorch's before it times them."""

import json
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


def test_bench_conv_compares_and_writes_its_rows(tmp_path):
    results = tmp_path / "results.json"
    command = [
        sys.executable,
        "benchmarks/bench_conv.py",
        "--quick",
        "--cases",
        "mnist",
        "--batches",
        "2",
        "--json",
        str(results),
    ]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(results.read_text(encoding="utf-8"))["rows"]
    assert {row["case"] for row in rows} == {"mnist_c1_3x3", "mnist_c2_3x3", "mnist_convnet"}
    assert all(row["ratio"] > 0 for row in rows)
