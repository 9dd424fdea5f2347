"""The C library that comes with the package, for programs in C: `cconv.get_include()`, `cconv.get_library()`."""

import os.path

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def get_include() -> str:
    """The folder of `cconv.h`, the interface and the manual of the C library: `cc -I` needs it.

    Raises:
        FileNotFoundError: This build of cconv came without the header.

    Examples:
        >>> cconv.get_include()
        '.../cconv/include'
    """
    return os.path.dirname(_existing("include", "cconv.h"))


def get_library() -> str:
    """The file of the C library, for programs in C that are linked with it: a static library, made of what the package
    itself runs.

    What it needs itself is named after it: `-fopenmp -pthread -lm`, without the first where `cconv.show_config()` says
    that there is no OpenMP.

    Raises:
        FileNotFoundError: This build of cconv came without it, as on Windows. `make lib` in its source makes one.

    Examples:
        >>> cconv.get_library()
        '.../cconv/lib/libcconv.a'
    """
    return _existing("lib", "libcconv.a")


def _existing(folder: str, name: str) -> str:
    path = os.path.join(_FOLDER, folder, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"expected {name} beside this package, received none at {path}: this build of cconv came without it; "
            "`make lib` in the source archive builds the C library"
        )
    return path
