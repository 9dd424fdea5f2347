"""The names that C declares at file scope, read from preprocessed text: as much of C's grammar as libcconv uses."""

import re
from typing import NamedTuple

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
TOKEN = re.compile(
    r"(?P<skip>/\*.*?\*/|//[^\n]*|\s+)|(?P<text>L?\"(?:\\.|[^\"\\])*\"|L?'(?:\\.|[^'\\])*')"
    r"|(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\.\.\.|->|.)",
    re.DOTALL,
)
QUALIFIERS = frozenset(["const", "volatile", "restrict", "static", "_Atomic", "_Thread_local", "register"])
WITH_BRACKETS = frozenset(["__attribute__", "_Alignas", "__asm__", "_Static_assert", "__declspec", "typeof"])


class Names(NamedTuple):
    own: set[str]  # of the translation unit alone: static ones, types, tags, constants of enums
    linked: set[str]  # of functions and variables that other units know
    members: set[str]  # of structs and unions


def tokens(text: str) -> list[tuple[str, str]]:
    """(kind, token); kinds are text, number, name and sign, and skip for blanks and comments."""
    return [(match.lastgroup, match[0]) for match in TOKEN.finditer(text)]


def closing(words: list[str], start: int) -> int:
    """The place of the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(words)):
        depth += (words[i] in "([{") - (words[i] in ")]}")
        if depth == 0:
            return i
    raise ValueError(f"expected a bracket that closes {' '.join(words[start : start + 8])!r}")


def is_name(word: str) -> bool:
    return word[0].isalpha() or word[0] == "_"


def declarations(words: list[str]):
    """Each external declaration, with bodies of functions left out: lists of words without the last `;`."""
    start = i = 0
    while i < len(words):
        if words[i] in ("(", "["):
            i = closing(words, i)
        elif words[i] == "{":
            end = closing(words, i)
            if words[i - 1] == ")" and "=" not in words[start:i]:
                yield words[start:i]
                start = end + 1
            i = end
        elif words[i] == ";":
            yield words[start:i]
            start = i + 1
        i += 1


def of_types(words: list[str], names: Names) -> list[str]:
    """Adds tags, members and the constants of enums; the words without the bodies of types and without initializers."""
    rest, i = [], 0
    while i < len(words):
        if words[i] in WITH_BRACKETS and words[i + 1 : i + 2] == ["("]:
            i = closing(words, i + 1)
        elif words[i] in ("struct", "union", "enum"):
            kind, i = words[i], i + 1
            tag = words[i] if is_name(words[i]) else None
            if tag:
                rest.append("int")
                i += 1
            if i < len(words) and words[i] == "{":
                end = closing(words, i)
                body = words[i + 1 : end]
                if tag:
                    names.own.add(tag)
                if kind == "enum":
                    names.own.update(w for before, w in zip([",", *body], body) if before == "," and is_name(w))
                else:
                    for member in declarations(body):
                        names.members.update(declared(of_types(member, names)))
                i = end
            else:
                i -= 1
        elif words[i] == "{":
            i = closing(words, i)
        else:
            rest.append(words[i])
        i += 1
    return rest


def declared(words: list[str]) -> list[str]:
    """The names of a declaration's declarators; `words` have no bodies."""
    names, parts, i = [], [[]], 0
    while i < len(words):
        if words[i] == ",":
            parts.append([])
        elif words[i] in ("(", "["):
            end = closing(words, i)
            parts[-1] += words[i : end + 1]
            i = end
        else:
            parts[-1].append(words[i])
        i += 1
    for part in parts:
        part = part[: min((part.index(end) for end in "=:" if end in part), default=len(part))]
        cut = next((k for k, word in enumerate(part) if word in ("(", "[")), len(part))
        if part[cut : cut + 2] == ["(", "*"]:  # a pointer to a function
            part, cut = [w for w in part[cut + 2 :] if w not in QUALIFIERS and w != "*"], 1
        found = [w for w in part[:cut] if is_name(w) and w not in QUALIFIERS]
        names += found[-1:]
    return names


def file_scope(text: str) -> Names:
    """The names declared in preprocessed text."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    words = [token for kind, token in tokens(text) if kind != "skip"]
    found = Names(set(), set(), set())
    for declaration in declarations(words):
        rest = of_types(declaration, found)
        heads = [w for w in rest if w in ("static", "typedef", "extern")]
        names = declared([w for w in rest if w not in ("extern", "inline", "_Noreturn")])
        names = [n for n in names if n not in ("int", "typedef")]
        (found.own if "static" in heads or "typedef" in heads else found.linked).update(names)
    return found
