"""docs/api says of every public name what its docstring says, and every link of the documents leads somewhere."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
DOCUMENTS = [TOP / "README.md", TOP / "src_c" / "README.md", *sorted((TOP / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def make_api():
    pytest.importorskip("sklearn")  # the estimators are on the pages, too
    spec = importlib.util.spec_from_file_location("make_api", TOP / "docs" / "make_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(make_api):
    return make_api.pages()


def headings(text):
    return re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


def test_pages_are_what_the_program_writes(make_api, pages):
    committed = {path.name: path.read_text(encoding="utf-8") for path in make_api.FOLDER.iterdir()}
    old = sorted(name for name in committed.keys() | pages.keys() if committed.get(name) != pages.get(name))
    assert old == [], "docs/api is out of date: run `make docs`"


def test_pages_do_not_depend_on_this_process(pages):
    assert [name for name, text in pages.items() if re.search(r"0x[0-9a-f]{6}|<function|<class ", text)] == []


def test_every_public_name_is_found(make_api, pages):
    names = {(page.file, module, name) for page in make_api.PAGES for module, name, _ in make_api.names_on(page)}
    assert len(names) > 800
    for file, module, name in names:
        entry = make_api.BY_VALUE[id(getattr(importlib.import_module(f"cconv.{module}".rstrip(".")), name))]
        described = pages[f"{entry.page.file}.md"]
        assert f"\n## {entry.heading}\n" in described
        assert re.search(rf"`([\w.]+\.)?{name}`", pages[f"{file}.md"] + described), f"{module}.{name} is nowhere"


@pytest.mark.parametrize("heading", ["Conv2D", "fit", "einsum", "Adam"])
def test_a_page_has_what_a_reader_asks_for(heading, pages):
    text = next(text for text in pages.values() if re.search(rf"^##+ (Model\.)?{heading}$", text, re.MULTILINE))
    entry = re.search(rf"^##+ (Model\.)?{heading}$.*?(?=^##)", text, re.MULTILINE | re.DOTALL)[0]
    assert f"{heading}(" in entry and "**Example**\n\n```python\n>>> " in entry and "\n- `" in entry
    assert entry.count("```") % 2 == 0


# What needs a download, switches a setting, is large, or says all in a sentence.
WITHOUT_EXAMPLE = """
config.disable_tuning config.enable_nonfinite_check config.enable_winograd config.set_backend config.set_dtype_policy
config.set_floatx backend.set_floatx utils.enable_interactive_logging utils.is_interactive_logging_enabled
get_num_threads set_num_threads version models.Functional utils.get_file activations.log_sigmoid activations.softsign
activations.binary_step activations.log_softmax
layers.average layers.maximum layers.minimum layers.multiply layers.subtract
applications.ConvNeXtBase applications.ConvNeXtLarge applications.ConvNeXtXLarge applications.EfficientNetB4
applications.EfficientNetB5 applications.EfficientNetB6 applications.EfficientNetB7 applications.EfficientNetV2B3
applications.EfficientNetV2L applications.EfficientNetV2M applications.EfficientNetV2S
applications.imagenet_utils.decode_predictions
"""


def test_every_name_has_an_example(make_api):
    without = [e.path for e in make_api.ENTRIES if ">>> " not in make_api.own_doc(e.value)]
    known = {f"cconv.{name}" for name in WITHOUT_EXAMPLE.split()}
    assert [path for path in without if path not in known and not path.endswith(("serialize", "load_data"))] == []


def test_every_layer_says_its_shape(make_api):
    layers = {e.heading: make_api.own_doc(e.value) for e in make_api.ENTRIES if e.page.modules == "layers"}
    classes = {name: doc for name, doc in layers.items() if name[0].isupper() and name not in ("Input", "InputSpec")}
    assert len(classes) > 100
    without = [
        name for name, doc in classes.items() if not re.search(r"Output shape:|shapes? and errors|output shape", doc)
    ]
    assert sorted(without) == ["InputLayer", "Layer", "Wrapper"]


def test_sections_become_lists_and_code(make_api):
    doc = """What it does.

Args:
    a, ..., c: The first
        lines.
    **kwargs: More: of them.

Raises:
    ValueError: It is `bad`.

Example:

>>> 1
1

>>> 2
2
"""
    assert (
        "\n".join(make_api.rendered(doc)).rstrip() + "\n"
        == """What it does.

**Arguments**

- `a`, ..., `c`: The first
  lines.
- `**kwargs`: More: of them.

**Raises**

- `ValueError`: It is `bad`.

**Example**

```python
>>> 1
1
```


```python
>>> 2
2
```
"""
    )


def test_a_summary_is_the_first_sentence(make_api):
    assert (
        make_api.summary("Does `a.b`, e.g. this, in\ntwo lines. And more.\n\nMore.")
        == "Does `a.b`, e.g. this, in two lines."
    )
    assert make_api.summary("Records all: as `x` does.") == "Records all: as `x` does."


def test_every_link_of_the_documents_leads_to_a_heading(make_api, pages):
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    texts |= {make_api.FOLDER / name: text for name, text in pages.items()}
    there = {path: set(make_api.anchors(headings(text))) for path, text in texts.items()}
    lost = []
    for path, text in texts.items():
        for target, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)#?([^)\s]*)\)", text):
            file = (path.parent / target).resolve() if target else path
            if not file.exists() or (anchor and anchor not in there[file]):
                lost.append(f"{path.relative_to(TOP)}: {target}#{anchor}")
    assert lost == []
