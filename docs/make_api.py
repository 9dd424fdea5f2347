"""Writes docs/api, the reference of cconv's public names, from their docstrings: `make docs`.

docs/api_pages.py says on which page a name stands. A name is described once, on the first page that has it, together
with the other names of the same thing.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent / "api"

sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parent.parent)]
from api_pages import OWN_USE, PAGES, Page  # noqa: E402

NOTE = "<!-- Written by docs/make_api.py: change the docstrings, then run `make docs`. -->"

LISTS = ("Args", "Attributes", "Call arguments", "Raises")  # sections of `name: what it is`
HEADINGS = {"Args": "Arguments"}
CODE = re.compile(r"(`[^`]*`)")


class Entry(NamedTuple):
    """A public name: where it stands, and what it is."""

    page: Page
    heading: str
    path: str
    value: Any


def own_use(owner: str) -> list[str]:
    return OWN_USE.get(owner, "").split()


def members(path: str) -> Iterator[tuple[str, Any]]:
    """The public names of a module, those that are not modules."""
    module = importlib.import_module(f"cconv.{path}" if path else "cconv")
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    for name in names:
        value = getattr(module, name)
        if not (inspect.ismodule(value) or name.startswith("_") or name in own_use(path)):
            yield name, value


def belongs(page: Page, value: Any) -> bool:
    """Whether a member of the page's modules is defined in one of its parts."""
    home = getattr(value, "__module__", None) or ""
    return not page.parts or any(part in page.parts.split() for part in home.split(".")[1:])


def names_on(page: Page) -> list[tuple[str, str, Any]]:
    """(module, name, what it is) of all that can be called and stands on a page or above it; first names come first."""
    found = [
        (module, name, value)
        for module in page.modules.split() or [""]
        for name, value in members(module)
        if callable(value) and belongs(page, value)
    ]
    return sorted(
        found, key=lambda it: (it[1] != getattr(it[2], "__name__", ""), not inspect.isclass(it[2]), it[1].lower())
    )


def entries() -> tuple[list[Entry], dict[int, list[str]]]:
    """All public names, each once, in the order of the pages; and the other names of the same things."""
    found: dict[int, Entry] = {}
    others: dict[int, list[str]] = {}
    for page in PAGES:
        here = names_on(page)
        meanings: dict[str, set[int]] = {}
        for _, name, value in here:
            meanings.setdefault(name, set()).add(id(value))
        for module, name, value in here:
            path = ".".join(filter(None, ("cconv", module, name)))
            heading = name if len(meanings[name]) == 1 else f"{module.split('.')[-1]}.{name}"
            first = found.setdefault(id(value), Entry(page, heading, path, value))
            if path != first.path and path not in others.setdefault(id(value), []):
                others[id(value)].append(path)
    return list(found.values()), others


ENTRIES, OTHER_NAMES = entries()
BY_VALUE = {id(entry.value): entry for entry in ENTRIES}


# ---- text


def anchors(headings: list[str]) -> list[str]:
    """The names GitHub gives headings, in order: one that was there gets a number."""
    counts: dict[str, int] = {}
    result = []
    for heading in headings:
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = counts.get(anchor, 0)
        counts[anchor] = count + 1
        result.append(f"{anchor}-{count}" if count else anchor)
    return result


def linked(text: str, own: str = "") -> str:
    """Text in which the names that are described elsewhere are links; `own` is the name that is described here."""

    def link(match: re.Match) -> str:
        target = LINKS.get(match[1].strip("`"))
        return match[1] if target is None or target == LINKS.get(own) else f"[{match[1]}]({target})"

    return CODE.sub(link, text)


def items(lines: list[str]) -> list[str]:
    """`name: what it is` as a list; what does not begin one goes on with the one before."""
    result: list[str] = []
    for line in lines:
        if match := re.fullmatch(r"([\w.*]+(?:, (?:[\w*]+|\.\.\.))*): (.*)|([\w.]+):", line):
            name, text = (match[1], match[2]) if match[1] else (match[3], "")
            result.append(f"- {', '.join(f'`{part}`' if part != '...' else part for part in name.split(', '))}: {text}")
        elif line:
            result.append("  " + line.strip() if result else line)
    return result


def rendered(doc: str) -> list[str]:
    """The lines of a docstring as Markdown: sections are in bold, lists are lists, examples are code."""
    result: list[str] = []
    lines = doc.split("\n")
    while lines:
        line = lines.pop(0)
        if line.startswith(">>> "):
            example = [line]
            while lines and lines[0]:
                example.append(lines.pop(0))
            result += ["```python", *example, "```", ""]
        elif re.fullmatch(r"[A-Z][\w ]*:", line):
            block: list[str] = []
            while lines and (not lines[0] or lines[0].startswith("    ")):
                block.append(lines.pop(0)[4:])
            block = "\n".join(block).strip("\n").split("\n")
            name = HEADINGS.get(line[:-1], line[:-1])
            if line[:-1] in LISTS:
                result += [f"**{name}**", "", *items(block), ""]
            else:
                result += [f"**{name}**", "", *block, ""] if any(block) else [f"**{name}**", ""]
        else:
            result.append(line)
    return result


def signature(value: Any, name: str) -> list[str]:
    """The call with all defaults, as code."""
    called = value
    if inspect.isclass(value) and list(inspect.signature(value).parameters) == ["args", "kwargs"]:
        called = value.__init__  # `__new__` takes what `__init__` does
    found = inspect.signature(called)
    bare = [
        item.replace(annotation=item.empty) for item in found.parameters.values() if item.name not in ("self", "cls")
    ]
    if called is object.__init__:
        bare = []
    arguments = str(found.replace(parameters=bare, return_annotation=found.empty)).replace("'", '"')
    if len(name + arguments) > 100:
        arguments = "(\n" + "".join(f"    {part},\n" for part in split_arguments(arguments[1:-1])) + ")"
    return ["```python", *(name + arguments).split("\n"), "```", ""]


def split_arguments(text: str) -> list[str]:
    """The arguments of a signature, cut at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def own_doc(value: Any) -> str:
    doc = getattr(value, "__doc__", None)
    return inspect.cleandoc(doc) if doc else ""


def summary(doc: str) -> str:
    """The first sentence, in one line."""
    paragraph = " ".join(doc.split("\n\n")[0].split("\n"))
    end = re.search(r"[.:](?= [A-Z`]|$)", paragraph)
    return paragraph[: end.start()] + "." if end else paragraph


# ---- entries


def bases(value: type) -> list[type]:
    """The nearest bases that are described themselves."""
    result: list[type] = []
    for base in value.__mro__[1:]:
        if id(base) in BY_VALUE and not any(issubclass(other, base) for other in result):
            result.append(base)
    return result


def heirs() -> dict[type, int]:
    """How many of the classes that are described have the methods of each class, other than from a class described."""
    counts: dict[type, int] = {}
    for entry in ENTRIES:
        if inspect.isclass(entry.value):
            elsewhere = {above for base in bases(entry.value) for above in base.__mro__}
            for holder in entry.value.__mro__:
                counts[holder] = counts.get(holder, 0) + (holder not in elsewhere)
    return counts


HEIRS = heirs()


def attributes_of(value: type) -> Iterator[tuple[str, Any]]:
    """Methods and properties with a docstring that no base on these pages has, in the order of the code."""
    elsewhere = {above for base in bases(value) for above in base.__mro__}
    hidden = {name for above in value.__mro__ for name in own_use(above.__name__)}
    seen: set[str] = set()
    for holder in value.__mro__:
        if holder in elsewhere or HEIRS.get(holder, 4) > 3 or not holder.__module__.startswith("cconv"):
            continue  # what many classes have of a base without a name here is for their own use
        for name, item in vars(holder).items():
            function = getattr(item, "__func__", item)
            is_known = callable(function) or isinstance(item, property)
            if is_known and not name.startswith("_") and name not in seen | hidden and own_doc(function):
                seen.add(name)
                yield name, item


def parts_of(entry: Entry) -> tuple[list[tuple[str, property]], list[tuple[str, Any]]]:
    """The properties of a class, and its methods; of a function none."""
    if not inspect.isclass(entry.value):
        return [], []
    found = list(attributes_of(entry.value))
    properties = [(name, item) for name, item in found if isinstance(item, property)]
    return properties, [(name, item) for name, item in found if not isinstance(item, property)]


def headings_of(entry: Entry) -> list[str]:
    return [entry.heading, *(f"{entry.heading}.{name}" for name, _ in parts_of(entry)[1])]


def section(entry: Entry) -> list[str]:
    lines = [f"## {entry.heading}", "", *signature(entry.value, entry.path)]
    facts = []
    if others := OTHER_NAMES.get(id(entry.value)):
        facts.append("Also " + ", ".join(f"`{path}`" for path in others))
    if inspect.isclass(entry.value) and (above := bases(entry.value)):
        facts.append("Base: " + ", ".join(f"`{base.__name__}`" for base in above))
    if facts:
        lines += [". ".join(facts) + ".", ""]
    lines += rendered(own_doc(entry.value) + "\n")
    properties, methods = parts_of(entry)
    if properties:
        lines += ["**Properties**", ""]
        lines += [f"- `{name}`: {' '.join(own_doc(item).split(chr(10) * 2)[0].split())}" for name, item in properties]
        lines.append("")
    for name, item in methods:
        function = getattr(item, "__func__", item)
        owner = entry.path if isinstance(item, (classmethod, staticmethod)) else entry.heading
        lines += [f"### {entry.heading}.{name}", "", *signature(function, f"{owner}.{name}")]
        lines += rendered(own_doc(function) + "\n")
    return linked_lines(lines, entry.path)


def linked_lines(lines: list[str], own: str) -> list[str]:
    """Lines with links, outside of code and headings."""
    result, is_code = [], False
    for line in lines:
        is_code ^= line.startswith("```")
        result.append(line if is_code or line.startswith("#") else linked(line, own))
    return result


def links() -> dict[str, str]:
    """Where each name is described: by its path, and classes also by their name."""
    result: dict[str, str] = {}
    for page in PAGES:
        here = [entry for entry in ENTRIES if entry.page is page]
        headings = [heading for entry in here for heading in headings_of(entry)]
        places = dict(zip(headings, anchors([page.title, *headings])[1:]))
        for entry in here:
            for heading in headings_of(entry):
                target = f"{page.file}.md#{places[heading]}"
                result.setdefault(entry.path + heading[len(entry.heading) :], target)
                if inspect.isclass(entry.value):
                    result.setdefault(heading, target)
            for path in OTHER_NAMES.get(id(entry.value), ()):
                result.setdefault(path, f"{page.file}.md#{places[entry.heading]}")
    return result


LINKS = links()


def names_elsewhere(page: Page) -> list[str]:
    """Links to what the page's modules have, and pages of other modules describe."""
    entries = [(name, BY_VALUE[id(value)]) for _, name, value in names_on(page) if not page.parts]
    own = [other for other in PAGES if set(other.modules.split()) & set(page.modules.split())] or [page]
    return [f"[`{name}`]({LINKS[entry.path]})" for name, entry in entries if entry.page not in own]


def page_text(page: Page) -> str:
    here = [entry for entry in ENTRIES if entry.page is page]
    lines = [f"# {page.title}", "", NOTE, ""]
    first, *others = page.modules.split() or [""]
    if first and all(module.startswith(f"{first}.") for module in others):
        lines += linked_lines(rendered(own_doc(importlib.import_module(f"cconv.{first}")) + "\n"), "")
    lines += ["| | |", "|---|---|"]
    for entry in here:
        text = linked(summary(own_doc(entry.value)), entry.path).replace("|", "\\|")
        lines.append(f"| [`{entry.heading}`]({LINKS[entry.path]}) | {text} |")
    lines.append("")
    elsewhere = {name: LINKS[BY_VALUE[id(value)].path] for _, name, value in names_on(page) if not page.parts}
    elsewhere = {
        name: link for name, link in elsewhere.items() if link.split(".")[0].split("-")[0] != page.file.split("-")[0]
    }
    if elsewhere:
        lines += [
            "And on other pages: " + ", ".join(f"[`{name}`]({link})" for name, link in elsewhere.items()) + ".",
            "",
        ]
    for entry in here:
        lines += section(entry)
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text.replace(f"]({page.file}.md#", "](#")).rstrip("\n") + "\n"


INDEX = f"""\
# Reference of the Python package

{NOTE}

Every public name, with arguments, defaults, shapes, errors and an example. Names are Keras'; where cconv differs
from it is told in [Coming from Keras](../keras.md). In the examples `np` is NumPy. What the ops of the C core compute
is told in [ops.md](../ops.md). `cconv.ops.numpy` and `cconv.ops.nn` have names of `cconv.ops`, as in Keras.

| | |
|---|---|
"""


def index_text() -> str:
    rows = []
    for page in PAGES:
        names = [f"[{entry.heading}]({LINKS[entry.path]})" for entry in ENTRIES if entry.page is page]
        rows.append(f"| [{page.title}]({page.file}.md) | {', '.join(names)} |")
    return INDEX + "\n".join(rows) + "\n"


def pages() -> dict[str, str]:
    """The files of docs/api, by name."""
    return {"README.md": index_text(), **{f"{page.file}.md": page_text(page) for page in PAGES}}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    texts = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
