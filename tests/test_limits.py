"""What the system grants may change or be little: processors taken away, no thread to be had; forks, and sizes."""

import os
import subprocess
import sys

import numpy as np
import pytest

import cconv
from cconv import _core

PROLOGUE = """
import os, signal, sys
signal.alarm(120)
import numpy as np
import cconv
from cconv import _core

def plan(threads=0):
    graph = _core.Graph()
    x = graph.input((None, 256))
    y = x
    for _ in range(40):
        kernel = _core.Variable((256, 256))
        kernel.assign(np.eye(256))
        y = graph.add("dense", [y, graph.variable(kernel)])
    return _core.Plan(graph, [y], max_batch=32, threads=threads)

x = np.random.default_rng(0).normal(size=(32, 256)).astype(np.float32)

def run(plan):
    assert (plan.run([x])[0] == x).all()
"""


def in_new_process(code):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", PROLOGUE + code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.split()


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two processors on Linux"
)
def test_fewer_processors_after_the_first_run():
    said = in_new_process(
        """
import time
allowed = sorted(os.sched_getaffinity(0))
made = plan(2)
cconv.set_num_threads(2)
run(made)
def narrow(processors):
    for task in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(task), processors)
    time.sleep(0.05)
narrow(allowed[:1])
print(cconv.get_num_threads(), _core.num_threads_reason())
for _ in range(200):
    run(made)
narrow(allowed)
print(cconv.get_num_threads(), _core.num_threads_reason().split()[0])
run(made)
"""
    )
    assert said == ["1", "affinity", "2", "cconv_set_num_threads"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of processes are Linux'")
def test_no_thread_to_be_had():
    """For root there is no such limit."""
    said = in_new_process(
        """
import resource
cconv.set_num_threads(4)
made = plan(4)
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
run(made)
run(plan(3))
print("good")
"""
    )
    assert said == ["good"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_before_the_first_call():
    said = in_new_process(
        """
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    print(cconv.get_num_threads(), _core.num_threads_reason(), flush=True)
    run(plan(2))
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    )
    assert said == ["1", "fork"]


@pytest.mark.parametrize("threads", [-1, 1025, 10**9, 2**31, 10**20])
def test_threads_beyond_all_bounds(threads):
    graph = _core.Graph()
    y = graph.add("negative", [graph.input((None, 2))])
    with pytest.raises(ValueError, match=f"threads.*1024.*{threads}"):
        _core.Plan(graph, [y], threads=threads)
    with pytest.raises(ValueError, match=f"threads.*1024.*{threads}"):
        cconv.set_num_threads(threads)


def test_numbers_of_threads_are_integers():
    for wrong in ("2", 2.0, None):
        with pytest.raises(TypeError):
            cconv.set_num_threads(wrong)
    cconv.set_num_threads(np.int64(0))


def test_sizes_whose_product_overflows():
    with pytest.raises(ValueError, match="4294967296"):
        _core.infer("flatten", [(None, 4294967296, 4294967296)])
    with pytest.raises(ValueError):
        cconv.layers.Flatten().compute_output_shape((None, 4294967296, 4294967296))
