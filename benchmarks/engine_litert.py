"""LiteRT, which was TensorFlow Lite: inference of a file from Keras, by its default delegate for CPUs, XNNPACK."""

from __future__ import annotations

import ai_edge_litert
import litert_file
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from work import Prepared, Work

THREADS = 1


def start(threads: int) -> dict[str, object]:
    global THREADS
    THREADS = threads
    return {"version": ai_edge_litert.__version__}


def variants(work: Work) -> tuple[str, ...]:
    return ("interpreter",) if work.infers else ()


def prepare(work: Work, variant: str) -> Prepared:
    interpreter = Interpreter(str(litert_file.exported(work)), num_threads=THREADS)
    interpreter.allocate_tensors()
    given, out = (
        details[0]["index"] for details in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    x = work.images()[0]

    def infer(images: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        return interpreter.get_tensor(out)

    def call() -> list[np.ndarray]:
        return [infer(x[at : at + work.at_once]) for at in range(0, len(x), work.at_once)]

    return Prepared(call, {"y": call()[0][:8]})
