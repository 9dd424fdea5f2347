"""What notebooks show of models and of the record of a training."""

from html.parser import HTMLParser

import numpy as np

import cconv
from cconv import layers


class Cells(HTMLParser):
    """The texts of a table's rows; fails where tags do not close."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in ("br",):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_a_model_is_a_table_of_its_layers():
    model = cconv.Sequential([cconv.Input((4,)), layers.Dense(3, name="a<b"), layers.ReLU()], name="m&m")
    text = model._repr_html_()
    assert Cells(text).rows == [
        ["Layer", "Type", "Output shape", "Params"],
        ["a<b", "Dense", "(None, 3)", "15"],
        [model.layers[1].name, "ReLU", "(None, 3)", "0"],
    ]
    assert "m&amp;m" in text and "Total params: 15" in text
    x = cconv.Input((4,), name="x")
    branched = cconv.Model(x, layers.Add()([layers.Dense(4)(x), x]))
    assert Cells(branched._repr_html_()).rows[0][-1] == "Connected to"
    assert "0 (unbuilt)" in cconv.Sequential([layers.Dense(2)])._repr_html_()


def test_a_history_is_curves_and_a_table():
    model = cconv.Sequential([cconv.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = cconv.callbacks.History()
    assert "no epoch" in history._repr_html_()
    history = model.fit(np.ones((8, 2)), np.ones(8), validation_split=0.5, epochs=12, verbose=0)
    text = history._repr_html_()
    rows = Cells(text).rows
    assert rows[0] == ["epoch", *history.history] and [row[0] for row in rows[1:]] == [str(i) for i in range(3, 13)]
    assert rows[-1][1:] == [f"{values[-1]:.4g}" for values in history.history.values()]
    assert text.count("<svg") == 2 and text.count("<polyline") == 4 and "validation" in text


def test_what_is_not_finite_is_left_out():
    history = cconv.callbacks.History()
    history.history, history.epoch = {"loss": [float("nan"), 2.0, float("inf")]}, [0, 1, 2]
    assert "nan" not in history._repr_html_().split("<table")[0]
