"""Models drawn as graphs: the text, and what is said where Graphviz is missing or fails."""

import re
import stat

import pytest

import cconv
from cconv import layers
from cconv.utils import model_to_dot, plot_model


def model():
    x = cconv.Input((8, 8, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    inner = cconv.Sequential([cconv.Input((8, 8, 4)), layers.Conv2D(4, 1, name="in_conv")], name="inner")
    b = layers.Add(name="add")([inner(a), a])
    return cconv.Model(x, layers.Dense(2, trainable=False, name='a"<b>')(layers.Flatten(name="flat")(b)))


def edges(dot):
    return re.findall(r'"([^"]+)" -> "((?:[^"\\]|\\.)+)";', dot.to_string())


def test_edges_are_the_calls():
    assert set(edges(model_to_dot(model()))) == {
        ("image", "conv"),
        ("conv", "inner"),
        ("inner", "add"),
        ("conv", "add"),
        ("add", "flat"),
        ("flat", 'a\\"<b>'),
    }


def test_nested_models_are_framed():
    dot = model_to_dot(model(), expand_nested=True)
    text = dot.to_string()
    assert 'subgraph "cluster_inner"' in text and ("inner/in_conv", "add") in edges(dot)
    assert text.count("{") == text.count("}")


def test_what_is_told_of_a_layer():
    plain = model_to_dot(model(), show_layer_names=False).to_string()
    assert "(None" not in plain and "float32" not in plain and ">conv<" not in plain and "Conv2D" in plain
    text = model_to_dot(
        model(), show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True, rankdir="LR"
    ).to_string()
    for word in ("(None, 8, 8, 4)", "float32", ">conv<", ">relu<", ">no<", ">yes<", "rankdir=LR", "a&quot;&lt;b&gt;"):
        assert word in text


def test_stacks_and_classes():
    stack = cconv.Sequential([layers.Dense(2, name="p"), layers.Dense(3, name="q")])
    assert edges(model_to_dot(stack)) == [("p", "q")]
    with pytest.raises(ValueError, match="not built"):
        model_to_dot(stack, show_shapes=True)
    with pytest.raises(ValueError, match="layers"):
        model_to_dot(layers.Dense(2))
    with pytest.raises(ValueError, match="rankdir"):
        model_to_dot(stack, rankdir="up")

    class Own(cconv.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name="mine")

    assert "mine" in model_to_dot(Own(), subgraph=True).to_string()


def test_the_text_is_written_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert plot_model(model(), tmp_path / "m.dot") is None
    assert (tmp_path / "m.dot").read_text().startswith("digraph")
    with pytest.raises(ImportError, match="Graphviz"):
        plot_model(model(), tmp_path / "m.png")
    assert model_to_dot(model())._repr_svg_() is None
    with pytest.raises(ValueError, match="extension"):
        plot_model(model(), tmp_path / "m")


def test_the_picture_is_what_graphviz_returns(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\n[ "$1" = -Tsvg ] || { echo "no such format" >&2; exit 1; }\necho "<svg/>"\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    plot_model(model(), tmp_path / "m.svg")
    assert (tmp_path / "m.svg").read_text() == "<svg/>\n" == model_to_dot(model())._repr_svg_()
    with pytest.raises(ValueError, match="no such format"):
        plot_model(model(), tmp_path / "m.xyz")
