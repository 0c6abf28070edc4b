"""Text in UTF-8, whatever the locale."""

import codecs
import io
import locale
import os
import subprocess
import sys
from typing import NoReturn


def use_utf8() -> None:
    """Make this program read and write UTF-8, and print `?` for what the terminal cannot show.

    In a locale of another encoding the program starts anew in Python's UTF-8 mode: how libraries open their files, and
    how arguments and file names are read, is decided at the start. Belongs first in a main block, never in a library.
    """
    if not is_utf8() and os.environ.get("PYTHONUTF8") != "1":  # which `-X utf8=0` overrules
        _start_anew()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # stderr shows escapes, always


def is_utf8() -> bool:
    """Whether files are opened, and their names read, as UTF-8 unless told otherwise."""
    return bool(sys.flags.utf8_mode) or codecs.lookup(locale.getencoding()).name == "utf-8"


def _start_anew() -> NoReturn:
    command = [sys.executable, *sys.orig_argv[1:]]
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": f"{sys.stdout.encoding}:replace"}
    if os.name == "nt":  # where exec would give the prompt back at once
        sys.exit(subprocess.call(command, env=environment))
    os.execve(sys.executable, command, environment)
