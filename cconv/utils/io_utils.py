"""Writing to the terminal, whatever state it is in. Nothing here may stop a training run."""

import logging
import shutil
import sys

from .. import config


def print_msg(message: str, line_break: bool = True) -> None:
    """Writes `message` to standard output and flushes it.

    A standard output that is closed, missing, full or unable to encode a character must not end hours of training:
    characters it cannot encode are replaced, and a failing write is dropped.

    Args:
        message: The text to write.
        line_break: Whether to end it with a new line.
    """
    if not config.is_interactive_logging_enabled():
        logging.getLogger("cconv").info("%s", message.strip("\r\n"))
        return
    stream = sys.stdout
    if stream is None:
        return
    text = message + "\n" if line_break else message
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = getattr(stream, "encoding", None) or "ascii"
            stream.write(text.encode(encoding, errors="replace").decode(encoding))
        stream.flush()
    except (OSError, ValueError, AttributeError):
        pass


def can_encode(text: str) -> bool:
    """Whether standard output can show every character of `text`."""
    encoding = getattr(sys.stdout, "encoding", None)
    if encoding is None:
        # An in-memory stream (io.StringIO) holds text and has no encoding to fail at.
        return hasattr(sys.stdout, "getvalue")
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_dynamic() -> bool:
    """Whether standard output can rewrite a line: a terminal or a notebook cell, but not a file or a pipe."""
    stream = sys.stdout
    if not config.is_interactive_logging_enabled():
        return False
    try:
        if stream is not None and stream.isatty():
            return True
    except (AttributeError, ValueError, OSError):
        return False
    return stream is not None and "ipykernel" in sys.modules and hasattr(stream, "_is_master_process")


def columns() -> int | None:
    """How many characters fit a line of the terminal that standard output is; `None` where it is none.

    A notebook's cell is as wide as it need be.
    """
    try:
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    except (AttributeError, ValueError, OSError):
        return None
