"""The progress bar of `fit`, `evaluate` and `predict`."""

import math
import os
import time
from collections.abc import Iterable, Sequence

from . import io_utils

_BOLD, _GREEN, _GREY, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Progbar:
    """Displays a progress bar.

    On a terminal the bar is drawn again in place, in one line that fits; the last one goes on below where it is too
    narrow. Where standard output is a file or a pipe, one line is written when
    the bar is complete, so that logs hold one line per epoch.

    Args:
        target: Total number of steps expected; `None` if unknown.
        width: Width of the bar in characters.
        verbose: 0 (silent), 1 (a bar), 2 (one line at the end).
        interval: Shortest time between two drawings, in seconds.
        stateful_metrics: Names of metrics that are shown as they are. All others are averaged over the steps.
        stateless_metrics: Names of metrics that are averaged over the steps; all others are shown as they are. Only one
            of the two may be given.
        unit_name: What a step is called.

    Raises:
        ValueError: If both `stateful_metrics` and `stateless_metrics` are given.

    Example:

    >>> bar = cconv.utils.Progbar(target=2, verbose=2)
    >>> bar.update(1, [("loss", 4.0)])
    >>> bar.seen_so_far
    1
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.1,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be given. "
                f"Received: stateful_metrics={stateful_metrics}, stateless_metrics={stateless_metrics}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.seen_so_far = 0

        self._dynamic = io_utils.is_dynamic()
        self._colored = self._dynamic and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._cells = "━━" if io_utils.can_encode("━") and self._colored else "━ " if io_utils.can_encode("━") else "=."
        self._values: dict[str, list[float]] = {}
        self._start = time.monotonic()
        self._time_after_first_step: float | None = None
        self._last_update = -math.inf
        self._drawn_width = 0

    def due(self) -> bool:
        """Whether an update that is not the last would be drawn now; lets callers skip computing values nobody sees."""
        return self.verbose == 1 and self._dynamic and time.monotonic() - self._last_update >= self.interval

    def update(
        self, current: int, values: Sequence[tuple[str, float]] | None = None, finalize: bool | None = None
    ) -> None:
        """Moves the bar.

        Args:
            current: Number of steps done.
            values: Pairs `(name, value of the last step)`.
            finalize: Whether this is the last update. By default: whether the target has been reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._record(name, float(value), max(current - self.seen_so_far, 1))
        self.seen_so_far = current

        now = time.monotonic()
        step_time = self._step_time(current, now)
        if self.verbose == 1 and self._dynamic:
            if finalize or now - self._last_update >= self.interval:
                self._draw(current, now, step_time, finalize)
                self._last_update = now
        elif self.verbose and finalize:
            count = f"{current}/{self.target}" if self.target else f"{current}/Unknown"
            info = f" - {now - self._start:.0f}s -{self._format_time(step_time)}{''.join(self._format_values())}"
            io_utils.print_msg(count + info)

    def add(self, n: int, values: Sequence[tuple[str, float]] | None = None) -> None:
        """Moves the bar by `n` steps; see `update`."""
        self.update(self.seen_so_far + n, values)

    def leave(self) -> None:
        """Ends the line of a bar that is not complete and will not be, so that what follows begins a new one."""
        if self._drawn_width:
            io_utils.print_msg("")
            self._drawn_width = 0

    def _record(self, name: str, value: float, steps: int) -> None:
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = self.stateful_metrics is None or name not in self.stateful_metrics
        if averaged:
            total, count = self._values.get(name, (0.0, 0))
            self._values[name] = [total + value * steps, count + steps]
        else:
            self._values[name] = [value, 1]

    def _draw(self, current: int, now: float, step_time: float, finalize: bool) -> None:
        if finalize or not self.target:
            clock = f"{now - self._start:.0f}s"
        else:
            clock = _format_remaining(step_time * (self.target - current))
        if self.target:
            count = f"{current:>{len(str(self.target))}}/{self.target}"
        else:
            count = f"{current:7d}/Unknown"
        pace = self._format_time(step_time)
        values = self._format_values()
        columns = io_utils.columns()
        # A line longer than the terminal would wrap, and then be repeated instead of redrawn: the bar gives way, then
        # the values; the last line is not drawn again, and goes on below.
        limit = math.inf if columns is None else max(1, columns - 1)
        head = len(count) + 1 + bool(self.target) + len(clock) + len(pace)
        shown = _that_fit(values, limit - head)
        parts = [(count, _BOLD), (" ", "")]
        if self.target:
            width = int(max(0, min(self.width, limit - head - sum(map(len, shown)))))
            done = min(width, int(width * current / self.target))
            parts += [(self._cells[0] * done, _GREEN), (self._cells[1] * (width - done), _GREY), (" ", "")]
        parts += [(clock, _BOLD), (pace + "".join(shown), "")]
        text, visible = self._clipped(parts, limit)
        padding = " " * int(max(0, min(self._drawn_width, limit) - visible))
        self._drawn_width = visible
        below = _lines(values[len(shown) :], limit) if finalize else []
        io_utils.print_msg("\n".join([f"\r{text}{padding}", *below]), line_break=finalize)
        if finalize:
            self._drawn_width = 0

    def _clipped(self, parts: Sequence[tuple[str, str]], limit: float) -> tuple[str, int]:
        """The painted parts, as far as they fit, and how many characters they take."""
        line, visible = "", 0
        for text, code in parts:
            text = text[: int(min(limit - visible, len(text)))]
            line += self._paint(text, code)
            visible += len(text)
        return line, visible

    def _paint(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self._colored and text and code else text

    def _format_values(self) -> list[str]:
        values = []
        for name, (total, count) in self._values.items():
            average = total / max(1, count)
            values.append(f" - {name}: {average:.4f}" if abs(average) > 1e-3 else f" - {name}: {average:.4e}")
        return values

    def _format_time(self, step_time: float) -> str:
        if step_time >= 1 or step_time == 0:
            return f" {step_time:.0f}s/{self.unit_name}"
        if step_time >= 1e-3:
            return f" {step_time * 1e3:.0f}ms/{self.unit_name}"
        return f" {step_time * 1e6:.0f}us/{self.unit_name}"

    def _step_time(self, current: int, now: float) -> float:
        """Seconds per step. The first one also makes plans, so it is left out as soon as it can be."""
        if not current:
            return 0.0
        if self._time_after_first_step is not None and current > 1:
            return (now - self._time_after_first_step) / (current - 1)
        if current == 1:
            self._time_after_first_step = now
        return (now - self._start) / current


def _format_remaining(seconds: float) -> str:
    if seconds > 3600:
        return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f}:{int(seconds % 60):02d}"
    if seconds > 60:
        return f"{seconds // 60:.0f}:{int(seconds % 60):02d}"
    return f"{int(seconds)}s"


def _that_fit(values: Sequence[str], limit: float) -> list[str]:
    """The first values that fit together."""
    shown = []
    for value in values:
        limit -= len(value)
        if limit < 0:
            break
        shown.append(value)
    return shown


def _lines(values: Sequence[str], limit: float) -> list[str]:
    """Values in lines that fit; one that is longer than a line is broken."""
    lines: list[str] = []
    for value in values:
        if lines and len(lines[-1]) + len(value) <= limit:
            lines[-1] += value
        else:
            lines += [value[first : first + int(limit)] for first in range(0, len(value), int(limit))]
    return lines
