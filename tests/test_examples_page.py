"""docs/examples.md tells of every program, shows a picture of each that draws one, and links to what is there."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PAGE = (TOP / "docs" / "examples.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[[^\]]+\]\((images/[^)]+)\)", PAGE)


def test_every_program_is_told_of():
    programs = {path.name for path in (TOP / "examples").glob("*.py")}
    assert programs == set(re.findall(r"\b([a-z0-9_]+\.py)\b", PAGE))


def test_pictures_are_there_and_small():
    sizes = [(TOP / "docs" / name).stat().st_size for name in PICTURES]
    assert len(PICTURES) == 15 and max(sizes) < 150_000 and sum(sizes) < 1_000_000
    shown = {Path(name).stem.removeprefix("example_") for name in PICTURES}
    programs = set(re.findall(r"^python examples/(\w+)\.py", PAGE, re.MULTILINE))
    assert programs <= shown and all(name.startswith(tuple(programs)) for name in shown)


def test_links_lead_to_headings():
    headings = {
        re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


@pytest.mark.parametrize("program", sorted(set(re.findall(r"^python (examples/\w+\.py)(.*)$", PAGE, re.MULTILINE))))
def test_options_of_the_commands_are_known(program):
    path, line = program
    source = (TOP / path).read_text(encoding="utf-8")
    for option in re.findall(r"--[\w-]+", line):
        assert f'"{option}"' in source
    places = re.findall(r"add_argument\(\"(\w+)\"(.*)", source)
    needed = [name for name, rest in places if 'nargs="?"' not in rest]
    assert len(needed) <= len([word for word in line.split() if word.endswith(("/", ".h5"))]) <= len(places)
