"""The rules of the Python package's tree: who may import whom, where imports stand, how long a module may be."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).resolve().parent.parent
PACKAGE = TOP / "cconv"
FILES = sorted(PACKAGE.rglob("*.py"))
IDS = [str(path.relative_to(PACKAGE)) for path in FILES]

# Lowest first: a module or package may import itself and what stands above it here, nothing beside or below it.
LAYERS = (
    {"_c_library", "naming", "warning"},
    {"configured", "keras_names", "state_variable"},
    {"dtype_policies"},
    {"_core", "array_like", "registry", "scope", "seeds", "size_limit", "trampoline", "tree"},
    {"dtypes"},
    {"tensor"},
    {"_config_report", "changes", "config", "recorded_tensor", "serialization"},
    {"graph", "initializers"},
    {"program", "variable"},
    {"recorded_programs"},
    {"recording"},
    {"recorded_gradients"},
    {"recorded_calls"},
    {"ops"},
    {"activations", "constraints", "random", "regularizers", "tape"},
    {"layers"},
    {"losses", "optimizers"},
    {"metrics"},
    {"pipeline", "saving"},
    {"utils"},
    {"backend", "callbacks", "data"},
    {"training"},
    {"models"},
    {"applications", "datasets", "onnx", "preprocessing", "visualization", "wrappers"},
    {"commands"},
    {"__main__"},
    {"cconv"},  # the package itself: what its users see
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# Modules that take long to import and that few programs need: imported by the function that needs them.
LATE = {
    "PIL",
    "cconv.visualization",
    "concurrent.futures",
    "concurrent.futures.process",
    "h5py",
    "http.client",
    "importlib.metadata",
    "matplotlib.pyplot",  # looks for a display
    "tqdm",
    "urllib.request",
}

# Modules that are tables of constructors, each with its arguments and their meaning spelled out, may be longer.
TABLES = {"losses/classes.py"}


class Import(NamedTuple):
    """An import statement of the package: a name in it, the line, whether it stands in a function and is relative."""

    target: str
    line: int
    in_function: bool
    relative: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(TOP).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES} | {"cconv._core"}


def imports(path: Path) -> list[Import]:
    """All imports of a file, those of the package by the module that they load."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    found = []

    def visit(node: ast.AST, in_function: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, in_function, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                submodule = inner in MODULES or inner in LATE
                found.append(Import(inner if submodule else base, node.lineno, in_function, node.level > 0))
        in_function |= isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, in_function)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def own(path: Path) -> list[Import]:
    return [x for x in imports(path) if x.target.split(".")[0] == "cconv"]


def unit(module: str) -> str:
    """The part of the package with a place in LAYERS: `cconv.ops.shapes` belongs to `ops`."""
    return (module.split(".")[1:] or ["cconv"])[0]


def test_every_module_has_one_place_in_the_order():
    assert sum(map(len, LAYERS)) == len(LEVEL)
    assert {unit(module) for module in MODULES} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_point_down(path):
    home = unit(module_name(path))
    wrong = [
        f"line {x.line}: {home} imports {x.target}"
        for x in own(path)
        if unit(x.target) != home and LEVEL[unit(x.target)] >= LEVEL[home]
    ]
    assert not wrong


def test_no_modules_import_each_other():
    graph = {}
    for path in FILES:
        module = module_name(path)
        needs = {x.target for x in own(path)}
        # a module of another package loads that package first
        needs |= {".".join(name.split(".")[:k]) for name in needs for k in range(2, name.count(".") + 1)}
        graph[module] = {name for name in needs if name != module and not f"{module}.".startswith(f"{name}.")}
    list(graphlib.TopologicalSorter(graph).static_order())  # names the circle if there is one


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_stand_at_the_top_and_are_relative(path):
    wrong = [
        f"line {x.line}: {x.target} inside a function" for x in imports(path) if x.in_function and x.target not in LATE
    ]
    wrong += [f"line {x.line}: {x.target} by its absolute name" for x in own(path) if not x.relative]
    if "import_module" in path.read_text(encoding="utf-8") and path != PACKAGE / "__init__.py":
        wrong.append("import_module is an import inside a function by another name")
    assert not wrong


def test_importing_the_package_loads_nothing_heavy():
    heavy = LATE | {"matplotlib", "pandas", "PIL", "scipy", "sklearn", "torch"}
    code = f"import sys, cconv; print(*sorted({heavy!r} & set(sys.modules)))"
    # urllib.request and the like may come with NumPy: what counts is what cconv adds
    before = f"import sys, numpy; print(*sorted({heavy!r} & set(sys.modules)))"
    loaded = [
        set(subprocess.run([sys.executable, "-c", c], check=True, capture_output=True, text=True).stdout.split())
        for c in (code, before)
    ]
    assert loaded[0] <= loaded[1]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_modules_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if str(path.relative_to(PACKAGE).as_posix()) not in TABLES:
        assert len(lines) <= 400


def test_the_exceptions_are_needed():
    assert all(len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) > 400 for name in TABLES)


@pytest.mark.parametrize("folder", ["cconv", "tests", "benchmarks", "examples"])
def test_lines_are_short(folder):
    wrong = [
        f"{path.relative_to(TOP)}:{number}"
        for path in sorted((TOP / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert not wrong
