"""Children of processes in which PyTorch has used OpenMP."""

import os
import signal

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
