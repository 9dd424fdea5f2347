"""Writes cconv.c and cconv.h: the library in two files, which a program compiles with its own.

    python3 amalgamate.py FOLDER

Every source file comes after the headers it includes, which come once. What only one unit is to know is kept from
the others: static names, types and constants that meet another's of the same name are renamed by a macro for the length
of their unit, and the unit's macros end with it. Bodies that are compiled more than once (*.inc.h, *.def, and what only
the levels of instructions include) stand in each unit. The system's headers come first, for all. A level's flags
(kernels/levels.def) become pragmas around its unit. Nothing need be known here of any file but levels.def, flags.mk
and cconv.h: a new source file needs no change. What is to be small is listed in COLD.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from c_names import COMMENT, Names, file_scope, tokens

CORE = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
SYSTEM_INCLUDE = re.compile(r"\s*#\s*include\s+(<[^>]+>)")
DEFINE = re.compile(r"\s*#\s*define\s+(\w+)")
UNDEF = re.compile(r"\s*#\s*undef\s+(\w+)")
CONDITION = re.compile(r"\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b\s*(.*)", re.DOTALL)
# Asks for more of the system's headers: asked once, at the head of the result.
FEATURE_REQUEST = re.compile(r"^#if [^\n]*_SOURCE\)\n#define _\w+_SOURCE[^\n]*\n#endif\n", re.MULTILINE)


def read(name: str) -> str:
    return FEATURE_REQUEST.sub("", (CORE / name).read_text(encoding="utf-8"))


def lines_of(text: str) -> list[str]:
    """Lines, those that a backslash continues as one."""
    return re.findall(r"(?:[^\n\\]|\\.|\\\n)*\n", text, re.DOTALL)


def included(text: str) -> list[str]:
    return [match[1] for line in lines_of(text) if (match := INCLUDE.match(line)) and match[1] != "cconv.h"]


def guard_of(text: str) -> str | None:
    match = re.match(r"\s*#ifndef (\w+)\n#define \1\n", COMMENT.sub("", text))
    return match and match[1]


def conditions(text: str, guard: str | None):
    """(line, the conditions under which it is compiled) of each line, but for the include guard."""
    stack = []
    for line in lines_of(text):
        match = CONDITION.match(COMMENT.sub("", line))
        if not match:
            yield line, [c for c in stack if c != f"!defined({guard})"]
            continue
        kind, what = match[1], " ".join(match[2].replace("\\\n", " ").split())
        if kind in ("ifdef", "ifndef"):
            what = ("!" if kind == "ifndef" else "") + f"defined({what})"
        if kind in ("if", "ifdef", "ifndef"):
            stack.append(what)
        elif kind == "elif":
            stack[-1] = f"!({stack[-1]}) && ({what})"
        elif kind == "else":
            stack[-1] = f"!({stack[-1]})"
        else:
            stack.pop()


class Core:
    """The files of libcconv, and which of them units share."""

    def __init__(self):
        self.sources = [p.relative_to(CORE).as_posix() for p in CORE.rglob("*.c")]
        self.text = {}
        for name in self.sources:
            self._load(name)
        self.levels = re.findall(r'^CC_LEVEL\((\w+),.*"(.*)"\)$', self.text["kernels/levels.def"], re.MULTILINE)
        level_units = {f"kernels/isa_{name}.c" for name, _ in self.levels}
        by_others = set().union(*(self.reach(name) for name in self.sources if name not in level_units))
        self.shared = {n for n in by_others if not n.endswith((".c", ".inc.h", ".def"))}
        self.sources.sort(key=lambda name: (self._height(name.split("/")[0]), name))

    def _load(self, name: str) -> None:
        if name not in self.text:
            self.text[name] = read(name)
            for other in included(self.text[name]):
                self._load(other)

    def reach(self, name: str) -> set[str]:
        found = {name}
        for other in included(self.text[name]):
            found |= self.reach(other)
        return found

    def _height(self, folder: str) -> int:
        """Of a folder in the order of includes."""
        names = [n for n in self.text if n.startswith(f"{folder}/")]
        below = {other.split("/")[0] for n in names for other in included(self.text[n])} - {folder}
        return 1 + max((self._height(other) for other in below), default=0)

    def shared_of(self, name: str, found: list[str]) -> list[str]:
        """The shared headers that a file needs, each after those it needs itself."""
        for other in included(self.text[name]):
            if other not in found:
                self.shared_of(other, found)
                if other in self.shared and other not in found:
                    found.append(other)
        return found

    def expanded(self, name: str, seen: set[str] | None = None) -> str:
        """A file's text with what is not shared in the place of its includes."""
        seen = set() if seen is None else seen
        parts = []
        for line in lines_of(self.text[name]):
            match = INCLUDE.match(line)
            if match:
                other = match[1]
                if other != "cconv.h" and other not in self.shared and other not in seen:
                    if guard_of(self.text[other]):
                        seen.add(other)
                    parts.append(self.expanded(other, seen))
            elif not SYSTEM_INCLUDE.match(line):
                parts.append(line)
        return "".join(parts)

    def system_includes(self) -> str:
        """Those of all files, with their conditions."""
        found = {}

        def walk(name: str, outside: list[str]) -> None:
            for line, inside in conditions(self.text[name], guard_of(self.text[name])):
                where = list(dict.fromkeys([*outside, *inside]))
                if match := SYSTEM_INCLUDE.match(line):
                    condition = " && ".join(c if len(where) == 1 else f"({c})" for c in where)
                    found.setdefault(condition, {})[match[1]] = True
                elif (match := INCLUDE.match(line)) and match[1] in self.text and match[1] not in self.shared:
                    walk(match[1], where)

        for source in self.sources:
            for name in [*self.shared_of(source, []), source]:
                walk(name, [])
        text = ""
        for where, headers in found.items():
            lines = "".join(f"#include {header}\n" for header in headers)
            text += f"#if {where}\n{lines}#endif\n" if where else lines
        return text


def without_conditions(text: str) -> str:
    """All branches of a text, for names on every system. What is defined only where it is not yet stays so."""
    lines, result, kept = [line for line in lines_of(text) if not SYSTEM_INCLUDE.match(line)], [], []
    for i, line in enumerate(lines):
        match = CONDITION.match(line)
        if not match:
            result.append(line)
            continue
        kind = match[1]
        if kind in ("if", "ifdef", "ifndef"):
            follows = DEFINE.match(lines[i + 1]) if i + 1 < len(lines) else None
            kept.append(kind == "ifndef" and bool(follows) and follows[1] == COMMENT.sub("", match[2]).strip())
        if kept[-1]:
            result.append(line)
        if kind == "endif":
            kept.pop()
    return "".join(result)


def preprocessed(text: str) -> str:
    """By the C compiler, which knows no system and no header here."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "unit.c")
        source.write_text(without_conditions(text), encoding="utf-8")
        command = [*shlex.split(os.environ.get("CC") or "cc"), "-E", "-P", "-w", "-undef", "-nostdinc", str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"expected the C compiler to read a unit, received from {shlex.join(command)}:\n{done.stderr}")
    return done.stdout


def macros_of(text: str) -> dict[str, set[str]]:
    """The macros that a text defines, and as what."""
    found = {}
    for line in lines_of(text):
        if match := DEFINE.match(line):
            found.setdefault(match[1], set()).add(" ".join(COMMENT.sub("", line).split()))
    return found


def without_members(words: list[tuple[int, str]]):
    """(place, word) of those that are no members of types: neither where they are used nor where they are declared."""
    brackets = []  # of each open one, whether it is a type's
    for at, (i, word) in enumerate(words):
        before = [w for _, w in words[max(at - 2, 0) : at]]
        if word == "{":
            brackets.append(any(w in ("struct", "union") for w in before))
        elif word == "}" and brackets:
            brackets.pop()
        after = words[at + 1][1] if at + 1 < len(words) else ""
        declared = brackets and brackets[-1] and after in (";", ",", "[", ":")
        if not declared and before[-1:] not in (["."], ["->"]):
            yield i, word


class Unit:
    MARK = "void the_unit_begins_here(void);"

    def __init__(self, core: Core, name: str):
        self.name, self.stem, self.text = name, Path(name).stem, core.expanded(name)
        self.headers = core.shared_of(name, [])
        before = "".join(core.expanded(header) for header in self.headers)
        own = preprocessed(f"{before}\n{self.MARK}\n{self.text}").split(self.MARK)[1]
        self.names: Names = file_scope(own)
        self.macros = macros_of(self.text)

    def renamed(self, clashes: set[str], shared_names: Names, shared_macros: dict[str, set[str]]) -> str:
        """The unit with its own names changed where they meet others: by macros, which reach names that are pasted
        together; in the text, where a macro would reach a member of a shared type, too, or is one in another branch."""
        change = {n: f"{self.stem}__{n}" for n in sorted(self.names.own & clashes)}
        parts = tokens(self.text)
        solid = [(i, word) for i, (kind, word) in enumerate(parts) if kind != "skip"]
        members = {word for (_, dot), (_, word) in zip(solid, solid[1:]) if dot in (".", "->")}
        in_text = {n for n in change if n in self.macros or (n in members and n in shared_names.members)}
        for i, word in without_members(solid) if in_text else []:
            if word in in_text:
                parts[i] = ("name", change[word])
        begin = "".join(f"#define {n} {new}\n" for n, new in change.items() if n not in in_text)
        text = "".join(word for _, word in parts) if in_text else self.text
        macros = {change[m] if m in in_text else m for m in self.macros if m not in shared_macros}
        over = sorted(macros | (change.keys() - in_text))
        end = "".join(f"#undef {n}\n" for n in over)
        return f"{begin}{text}{end}"


def target_of(level: str, flags: str) -> tuple[str, str, str] | None:
    """The macro that says that pragmas compile a level, the machine it is for, and its features in GCC's words."""
    words = flags.split()
    if not words:
        return None
    arm = [w.removeprefix("-m") for w in words if w.startswith("-march=")]
    machine = "defined(__aarch64__)" if arm else "(defined(__x86_64__) || defined(__i386__))"
    return f"CC_TARGET_{level.upper()}", machine, ",".join(arm or [w.removeprefix("-m") for w in words])


# Only loops of the levels' kernels begin with a line of the cache, in GCC's words; elsewhere nothing is filled up.
ALIGNED = "align-loops=64"
PACKED = ("no-align-functions", "no-align-jumps", "no-align-labels", "no-align-loops")
# What runs once for a model or a plan, where the size counts: folders, files, endings of functions' names
# elsewhere. What runs often must not call those functions: GCC takes their callers for cold, too.
COLD = ("files/", "graph/", "onnx/", "plan/", "base/attributes.c", "base/machine.c", "ops/infer.c", "ops/op_table.c")
COLD_NAMES = "infer|need|check|describe|cost|supports|packing|slots|slot_shape|initial|prepare|per_sample|refuse"
COLD_FUNCTION = re.compile(rf"(?m)^(?=(?:static )?(?:const )?\w+ \**\w+_(?:{COLD_NAMES})\([^;{{}}]*\)\n\{{)")


def within(condition: str, clang: str, gcc: str, text: str) -> str:
    """A unit whose functions have an attribute, in Clang's words and in GCC's."""
    return f"""#if {condition}
#if defined(__clang__)
#pragma clang attribute push(__attribute__(({clang})), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC {gcc}
#endif
#endif
{text}#if {condition}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
"""


def head(core: Core, version: str) -> str:
    """What comes before all units: exactness, the system's headers, the levels that pragmas make."""
    words = re.search(r"^OPTIMIZE = (.*)$", read("flags.mk"), re.MULTILINE)[1].split()
    options = [w.removeprefix("-f") for w in words if w.startswith("-f") and not w.startswith("-falign")]
    options = ", ".join(f'"{w}"' for w in [*options, *PACKED])
    targets = [t for name, level in core.levels if (t := target_of(name, level))]
    macros = "".join(
        f"#if defined(__GNUC__) && {machine} && !defined({m.replace('CC_TARGET', 'CCONV_NO')})\n#define {m}\n#endif\n"
        for m, machine, _ in targets
    )
    leave_out = " and ".join(m.replace("CC_TARGET", "-DCCONV_NO") for m, _, _ in targets)
    return f"""/* cconv {version} in one file, made from its sources by src_c/tools/amalgamate.py: change those.
 * cconv.h is its interface and its manual.
 *
 *     cc -O2 program.c cconv.c -lm               on one thread
 *     cc -O2 -fopenmp program.c cconv.c -lm      on all processors
 *
 * Systems whose threads are in a library of their own (glibc before 2.34) want -pthread, too. -DCCONV_NO_OPENMP leaves
 * OpenMP out where the rest of the program uses it. Kernels for each instruction set are inside; the best ones are
 * chosen when the program runs. {leave_out} leave theirs out, for a smaller program. */
#if defined(__FAST_MATH__)
#error "cconv.c: expected exact arithmetic, received -ffast-math or -Ofast: compile this file without it"
#endif
#if !defined(_WIN32) && !defined(__APPLE__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
/* Tables of how to leave each function are a twelfth of a program. Nothing here is left but by returning: debuggers
 * find them among what `strip` takes out. -DCCONV_UNWIND_TABLES keeps them, for programs that look at their stack or
 * end threads that compute. */
#if defined(__ELF__) && defined(__GNUC__) && !defined(__arm__) && !defined(CCONV_UNWIND_TABLES)
__asm__(".cfi_sections .debug_frame");
#endif
/* Products and sums are rounded one by one, on every machine. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC optimize({options})
#endif
/* The levels whose features pragmas turn on. */
{macros}
#include "cconv.h"
{core.system_includes()}
/* Of all that follows only cconv.h's names leave a shared library. */
#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#define CC_COLD __attribute__((cold))
#else
#define CC_COLD
#endif
"""


# Where the lowest level is for old processors only, it is made small.
HAS_HIGHER = "defined(__GNUC__) && (defined(__x86_64__) || defined(__aarch64__))"

TAIL = """
#if defined(__GNUC__)
#pragma GCC visibility pop
#if !defined(__clang__)
#pragma GCC pop_options
#endif
#endif
"""


def title(name: str, line: str) -> str:
    return f"\n/* {line * 4} {name} {line * max(4, 120 - len(name))} */\n"


def amalgamation() -> str:
    core = Core()
    header = (CORE / "include" / "cconv.h").read_text(encoding="utf-8")
    units = [Unit(core, name) for name in core.sources]
    shared_text = "".join(core.expanded(name) for name in sorted(core.shared)) + header
    shared_names = file_scope(preprocessed(shared_text))
    undone = {match[1] for line in lines_of(shared_text) if (match := UNDEF.match(line))}
    shared_macros = {name: bodies for name, bodies in macros_of(shared_text).items() if name not in undone}
    linked = Counter(name for unit in units for name in unit.names.linked)
    for name, count in linked.items():
        if count > 1 and not name.startswith(("cc_", "cconv_")):
            sys.exit(f"expected names of functions of several files to begin with cc_, received {name}")
    own = Counter(name for unit in units for name in unit.names.own)
    taken = shared_names.own | shared_names.linked | shared_macros.keys() | linked.keys()
    # A name of one word may be the system's, whose headers are here for all.
    clashes = {name for name, count in own.items() if count > 1 or name in taken or "_" not in name}
    clashes -= {name for name in shared_names.own if name.startswith("cc_")}  # a type that a unit completes
    for unit in units:
        if other := [n for n, bodies in unit.macros.items() if not bodies <= shared_macros.get(n, bodies)]:
            sys.exit(f"expected macros of its own in {unit.name}, received other bodies of a shared header's: {other}")
    version = re.search(r'#define CCONV_VERSION "([^"]+)"', header)[1]
    fallback = f"kernels/isa_{core.levels[0][0]}.c"
    targets = {f"kernels/isa_{name}.c": target_of(name, flags) for name, flags in core.levels}
    parts, done = [head(core, version)], set()
    for unit in units:
        for name in unit.headers:
            if name not in done:
                parts.append(title(name, "-") + core.expanded(name))
                done.add(name)
        body = unit.renamed(clashes, shared_names, shared_macros)
        if unit.name == fallback:
            body = within(HAS_HIGHER, "minsize", 'optimize("Os")', body)
        elif unit.name.startswith(COLD):
            body = within("defined(__GNUC__)", "minsize", 'optimize("Os")', body)
        elif target := targets.get(unit.name):
            target_words = f'target("{target[2]}")'
            gcc = f'{target_words}\n#pragma GCC optimize("{ALIGNED}")'
            body = within(f"defined({target[0]})", target_words, gcc, body)
        elif unit.name not in targets:
            body = COLD_FUNCTION.sub("CC_COLD ", body)
        parts.append(title(unit.name, "=") + body)
    return re.sub(r"\n{3,}", "\n\n", "".join(parts) + TAIL)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cconv.c").write_text(amalgamation(), encoding="utf-8")
    (folder / "cconv.h").write_text((CORE / "include" / "cconv.h").read_text(encoding="utf-8"), encoding="utf-8")
    print(f"made {folder / 'cconv.c'} and cconv.h")


if __name__ == "__main__":
    main()
