"""Work that is done ahead of those who wait for it, by threads or processes: in order, and no further than is said.

All of these are generators: they begin with the first element that is asked for, and when one is dropped, closed or
left by an exception, its threads end. An element that takes forever does not keep the interpreter from ending.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_END = object()


def described(error: BaseException, where: str) -> BaseException:
    """An error of the same class that says first where it happened; one of the user's own class as a RuntimeError.

    Example:

    >>> from cconv.pipeline.workers import described
    >>> described(ValueError("no such digit"), "element 3")
    ValueError('element 3: no such digit')
    """
    kind = type(error)
    if not isinstance(error, Exception):
        return error  # Ctrl-C, and what ends a program
    words = f"{where}: {error}"
    if kind.__module__ != "builtins" or isinstance(error, (StopIteration, UnicodeError)):
        made: BaseException = RuntimeError(f"{where}: {kind.__name__}: {error}")
    else:
        made = kind(words)
    made.__cause__ = error
    return made


def _start(function: Callable, *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, name="cconv.data", daemon=True).start()


class _Task:
    """An argument, and what became of it."""

    __slots__ = ("argument", "error", "ready", "result")

    def __init__(self, argument: Any) -> None:
        self.argument = argument
        self.result: Any = None
        self.error: BaseException | None = None
        self.ready = threading.Lock()  # taken until the task is done
        self.ready.acquire()


def _work(function: Callable[[Any], Any], tasks: queue.SimpleQueue) -> None:
    while True:
        task = tasks.get()
        if task is None:
            return
        try:
            task.result = function(task.argument)
        except BaseException as error:  # raised again where the result is waited for
            task.error = error
        task.ready.release()
        del task  # not kept while waiting for the next


def in_threads(function: Callable[[Any], Any], source: Iterable[Any], threads: int, ahead: int) -> Iterator[Any]:
    """`map(function, source)`, computed by threads; results come in the order of the source.

    Args:
        function: Called by several threads at a time.
        source: Read by the thread that asks for results.
        threads: Their number.
        ahead: How many elements, at most, are taken from the source before their results are asked for.
    """
    tasks: queue.SimpleQueue = queue.SimpleQueue()
    pending: deque[_Task] = deque()
    arguments, broken, started = iter(source), None, 0
    try:
        while True:
            try:
                task = _Task(next(arguments))
            except StopIteration:
                break
            except Exception as error:  # after the results of what came before it
                broken = error
                break
            pending.append(task)
            tasks.put(task)
            if started < threads:
                _start(_work, function, tasks)
                started += 1
            if len(pending) >= ahead:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
        if broken is not None:
            raise broken
    finally:
        while True:  # what nobody waits for any longer is not begun
            try:
                tasks.get_nowait()
            except queue.Empty:
                break
        for _ in range(started):
            tasks.put(None)


def _result(task: _Task) -> Any:
    task.ready.acquire()
    if task.error is not None:
        raise task.error
    return task.result


def ahead_of_need(source: Callable[[], Iterable[Any]], size: int) -> Iterator[Any]:
    """The elements of `source()`, read by a thread that is up to `size` elements ahead."""
    elements: queue.Queue = queue.Queue(size)
    stop = threading.Event()
    _start(_produce, source, elements, stop)
    try:
        while True:
            element, error = elements.get()
            if error is not None:
                raise error
            if element is _END:
                return
            yield element
            del element
    finally:
        stop.set()
        while True:  # the thread may wait for a free place
            try:
                elements.get_nowait()
            except queue.Empty:
                break


def _produce(source: Callable[[], Iterable[Any]], elements: queue.Queue, stop: threading.Event) -> None:
    iterator = None
    try:
        iterator = iter(source())
        for element in iterator:
            elements.put((element, None))
            del element
            if stop.is_set():
                return
        elements.put((_END, None))
    except BaseException as error:  # raised again where the element is waited for
        if not stop.is_set():
            elements.put((None, error))
    finally:
        if hasattr(iterator, "close"):
            iterator.close()  # its own threads end now, in whatever cycle of references it stands


_served: Any = None  # in a process of `in_processes`: what its elements are taken from


def _serve(source: Any) -> None:
    global _served
    _served = source
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits


def _get(index: int) -> Any:
    return _served[index]


def in_processes(source: Any, order: Iterable[int], processes: int, ahead: int) -> Iterator[Any]:
    """`source[i]` for each i of an order, computed by processes that have a copy of `source`; in that order.

    Args:
        source: Inherited by forked processes, pickled for others.
        order: The indices.
        processes: Their number.
        ahead: How many elements, at most, are computed before they are asked for.

    Raises:
        RuntimeError: A process has ended that should not have.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    pool = ProcessPoolExecutor(processes, initializer=_serve, initargs=(source,))
    pending: deque[Any] = deque()
    try:
        for index in order:
            pending.append(pool.submit(_get, int(index)))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"A worker process of {type(source).__name__} ended before its batch was made: it was killed, ran out of "
            "memory, or could not be started."
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
