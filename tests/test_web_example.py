"""The page of examples/web: built by emscripten, opened from its file in headless Chromium, drawn on, and taught."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import browser
import numpy as np
import pytest

import cconv
from cconv import _core

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "examples" / "web"


def test_the_network_of_the_page_knows_the_digits_beside_it():
    graph = _core.load_onnx(str(FOLDER / "digits.onnx"))
    images = np.frombuffer((FOLDER / "rehearsal.bin").read_bytes(), np.uint8).reshape(200, 1, 28, 28) / np.float32(255)
    ((_, node),) = graph.outputs()
    (scores,) = _core.Plan(graph, [node], max_batch=200).run([images])
    assert (scores.argmax(axis=1) == np.repeat(range(10), 20)).mean() > 0.96


def test_every_part_of_the_page_is_there():
    names = re.findall(r"\{\{([\w.]+)\}\}", (FOLDER / "page.html").read_text(encoding="utf-8"))
    data = {"core", "model", "rehearsal"}
    assert data <= set(names) and all((FOLDER / name).is_file() for name in set(names) - data)
    assert {p.name for p in FOLDER.iterdir() if p.suffix in (".js", ".css")} == {n for n in names if "." in n}


MAIN = """
#include <stdio.h>
#include <stdlib.h>
void *recognizer_open(const void *bytes, size_t size);
void recognizer_close(void *r);
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; ++i) {
        static char bytes[1 << 22];
        FILE *file = fopen(argv[i], "rb");
        void *opened = recognizer_open(bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
        printf("%d\\n", opened != NULL);
        recognizer_close(opened);
    }
}
"""


def network(path, size=28, convolutions=1):
    """A network of an image of this size, of the kind that the page has."""
    x = layer = cconv.Input((size, size, 1))
    for _ in range(convolutions):
        layer = cconv.layers.Conv2D(2, 3, padding="same", activation="relu")(layer)
    y = cconv.layers.Dense(10)(cconv.layers.Flatten()(layer))
    cconv.Model(x, y).export(path, format="onnx", verbose=False)
    return path


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("gcc"), reason="needs gcc")
def test_networks_of_another_kind_are_refused(tmp_path):
    """Of other images, whose pixels lie beyond the page's, and with more weights than it has places for."""
    (tmp_path / "main.c").write_text(MAIN)
    sources = [tmp_path / "main.c", FOLDER / "recognizer.c", cconv.get_library()]
    flags = ["-std=c11", "-w", "-I", cconv.get_include(), "-fopenmp", "-pthread", "-o", tmp_path / "program"]
    subprocess.run(["gcc", *flags, *sources, "-lm"], check=True)
    models = [FOLDER / "digits.onnx", network(tmp_path / "fits.onnx"), network(tmp_path / "large.onnx", size=40)]
    models.append(network(tmp_path / "deep.onnx", convolutions=20))
    run = subprocess.run([tmp_path / "program", *models], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["1", "1", "0", "0"]


def test_without_emscripten_building_says_what_is_missing():
    run = subprocess.run(
        [sys.executable, FOLDER / "build.py"], env={"PATH": ""}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1 and "expected emcc on the PATH" in run.stderr


@pytest.fixture(scope="module")
def page():
    if not shutil.which("emcc"):
        pytest.skip("needs emcc (Debian's package emscripten)")
    if not browser.find():
        pytest.skip("needs Chromium")
    subprocess.run([sys.executable, FOLDER / "build.py"], check=True)
    return TOP / "build" / "web" / "digits.html"


@pytest.mark.slow
def test_page_is_one_small_file_that_asks_nobody(page):
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 1_000_000
    assert "default-src 'none'" in text and "{{" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://|(?:src|href)=\"(?!data:)", text)


@pytest.mark.slow
def test_page_reads_digits_and_learns_a_new_class(page, tmp_path):
    with browser.Browser(tmp_path) as chromium:
        chromium.size(1100, 1000)
        chromium.open(page.as_uri() + "#selftest")
        result = json.loads(chromium.wait_for("document.getElementById('selftest')?.textContent", 240))
    print(json.dumps(result, indent=1))
    assert "error" not in result
    assert result["digits"] == "0123456789" and result["keys"] == "1" and result["rehearsal"] > 0.96
    for layers in ("last", "all"):
        taught = result[layers]
        assert taught["before"] != "star" and taught["after"] == "star" and taught["sure"] > 0.8
        assert taught["lastLoss"] < 0.2 * taught["firstLoss"]
        assert sum(a == b for a, b in zip(taught["digits"], "0123456789", strict=True)) >= 9


@pytest.mark.slow
def test_mouse_finger_and_keys_draw(page, tmp_path):
    with browser.Browser(tmp_path) as chromium:
        chromium.size(390, 844, dark=True)
        chromium.open(page.as_uri())
        chromium.wait_for("typeof page !== 'undefined' && page.recognizer && page.pad && true")
        box = chromium.evaluate("JSON.parse(JSON.stringify($('pad').getBoundingClientRect()))")
        points = [(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * y / 10) for y in (2, 4, 6, 8)]
        answer = "new Promise(done => setTimeout(() => done($('best').textContent), 200))"

        def mouse(kind, x, y):
            chromium.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

        mouse("mousePressed", *points[0])
        for point in points[1:]:
            mouse("mouseMoved", *point)
        mouse("mouseReleased", *points[-1])
        assert chromium.evaluate(answer) == "1"
        chromium.evaluate("$('clear').click()")
        assert chromium.evaluate(answer) == "–"

        def touch(kind, *points):
            chromium.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

        touch("touchStart", points[0])
        for point in points[1:]:
            touch("touchMove", point)
        touch("touchEnd")
        assert chromium.evaluate(answer) == "1"

        chromium.evaluate("$('pad').focus()")
        for key in ("Escape", " ", *["ArrowDown"] * 12, " "):
            chromium.call("Input.dispatchKeyEvent", type="keyDown", key=key)
            chromium.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        assert chromium.evaluate(answer) == "1"
