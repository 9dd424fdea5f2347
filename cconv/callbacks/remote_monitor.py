"""Sends the logs of every epoch to a server."""

import json
from typing import Any

import numpy as np

from ..warning import warn
from .callback import Callback, Logs


class RemoteMonitor(Callback):
    """Sends the logs at the end of every epoch to an HTTP server, as the number `epoch` and the values by name.

    A server that does not answer, or refuses, is a warning: training goes on.

    Args:
        root: The server, such as `"http://localhost:9000"`.
        path: The path on it.
        field: The field of a form that holds the values, written as JSON.
        headers: A dictionary of HTTP headers to send along.
        send_as_json: Whether to send the JSON itself (`application/json`) in place of a form with one field.

    Raises:
        ValueError: If `root` is no address of a web server.

    Example:

    >>> callback = cconv.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    timeout = 10  # seconds

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not str(root).startswith(("http://", "https://")):
            raise ValueError(f"Expected `root` to begin with http:// or https://. Received: root={root!r}")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        import urllib.request

        text = json.dumps({"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}})
        kind = "application/json"
        if not self.send_as_json:
            text, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, text.encode(), headers, method="POST")
        try:
            urllib.request.urlopen(request, timeout=self.timeout).close()
        except OSError as error:
            warn(f"RemoteMonitor could not reach the server at {self.root}{self.path}: {error}")


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist()
