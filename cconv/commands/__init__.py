"""What `python -m cconv` does: a module for each command, which adds its arguments and runs.

Exit codes: 0 all went well; 1 it failed, and a sentence on standard error says why; 2 the arguments are wrong; 130
ended by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import _core
from . import bench, info, predict, summary, train
from .failure import Failure

_COMMANDS = (info, summary, predict, bench, train)
_INTERRUPTED = 130  # as shells count a process that SIGINT ended


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m cconv", description="Convolutional networks on CPUs: look at models, use them, train them."
    )
    top.add_argument("--version", action="version", version=f"cconv {_core.version()}")
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for module in _COMMANDS:
        name = module.__name__.rpartition(".")[2]
        told = (module.__doc__ or "").strip()
        made = commands.add_parser(
            name,
            help=told.split("\n")[0].rstrip("."),
            description=told,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(made)
        made.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # who read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Failure, OSError, ValueError, ImportError, MemoryError, NotImplementedError) as error:
        print(f"cconv {options.command}: {error}", file=sys.stderr)
        return 1
