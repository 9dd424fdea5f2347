"""`RemoteMonitor` beside a server of its own."""

import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

import cconv
from cconv.callbacks import RemoteMonitor


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(200 if self.path.startswith("/publish") else 500)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        made.received = received
        yield made
        made.shutdown()
        thread.join()


def fit(callback):
    model = cconv.Sequential([cconv.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0, callbacks=[callback]).history


def test_sends_a_form(server):
    losses = fit(RemoteMonitor(f"http://127.0.0.1:{server.server_port}", field="logs"))["loss"]
    assert [path for path, _, _ in server.received] == ["/publish/epoch/end/"] * 2
    sent = [json.loads(urllib.parse.parse_qs(body)["logs"][0]) for _, _, body in server.received]
    assert sent == [{"epoch": 0, "loss": losses[0]}, {"epoch": 1, "loss": losses[1]}]


def test_sends_json_and_headers(server):
    callback = RemoteMonitor(
        f"http://127.0.0.1:{server.server_port}", "/publish/x", headers={"X-Key": "7"}, send_as_json=True
    )
    losses = fit(callback)["loss"]
    path, headers, body = server.received[1]
    assert path == "/publish/x" and headers["Content-Type"] == "application/json" and headers["X-Key"] == "7"
    assert json.loads(body) == {"epoch": 1, "loss": losses[1]}


def test_goes_on_without_a_server(server):
    with pytest.warns(UserWarning, match="could not reach the server"):
        assert len(fit(RemoteMonitor(f"http://127.0.0.1:{server.server_port}", "/nowhere"))["loss"]) == 2
    with pytest.warns(UserWarning, match="could not reach the server"):
        assert len(fit(RemoteMonitor("http://127.0.0.1:9"))["loss"]) == 2


def test_refuses_other_addresses():
    with pytest.raises(ValueError, match="http://"):
        RemoteMonitor("file:///etc")
