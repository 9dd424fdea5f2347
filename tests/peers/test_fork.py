"""Children of processes in which PyTorch has used OpenMP."""

import os
import signal
import subprocess
import sys

import numpy as np
import torch

import cconv


def test_a_child_forked_after_pytorch_has_run_predicts():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    a = torch.ones(512, 512)
    assert (a @ a)[0, 0] == 512
    torch.exp(a)
    torch.set_num_threads(threads)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(60)
            x = np.ones((64, 256), np.float32)
            model = cconv.Sequential([cconv.Input((256,)), cconv.layers.Dense(256), cconv.layers.Dense(8)])
            status = 0 if np.isfinite(model.predict(x, verbose=0)).all() and cconv.get_num_threads() == 1 else 2
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


FIRST_IN_THE_CHILD = """
import os, signal, sys
import torch
torch.set_num_threads(2)
torch.exp(torch.ones(512, 512) @ torch.ones(512, 512))
pid = os.fork()
if pid == 0:
    signal.alarm(60)
    import numpy as np, cconv
    model = cconv.Sequential([cconv.Input((256,)), cconv.layers.Dense(256), cconv.layers.Dense(8)])
    fine = np.isfinite(model.predict(np.ones((64, 256), np.float32), verbose=0)).all()
    os._exit(0 if fine else 2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0)
"""


def test_cconv_imported_in_the_child_first_predicts():
    path = os.path.dirname(os.path.dirname(cconv.__file__))
    done = subprocess.run([sys.executable, "-c", FIRST_IN_THE_CHILD], env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0
