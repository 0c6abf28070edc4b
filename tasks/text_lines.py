"""Lines of a text file in a given encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import InputError

UTF8 = ("utf-8", "utf8")


@dataclass(frozen=True)
class TextEncoding:
    """The character encoding of a file.

    Args:
        name: Its name in Python.
        setting: What the user names another one by, for messages; None where nothing does.
    """

    name: str = "utf-8"
    setting: str | None = "source.encoding"


BY_SOURCE = TextEncoding()
ONLY_UTF8 = TextEncoding(setting=None)


def check_encoding(encoding: str, owner: str) -> None:
    """Check that there is a character encoding.

    Args:
        encoding: Its name.
        owner: What names it, for the message.

    Raises:
        InputError: If there is none of that name.
    """
    try:
        "".encode(encoding)  # unlike a lookup it refuses codecs of bytes, such as hex
    except (LookupError, UnicodeError):
        raise InputError(f"{owner} is {encoding!r} (expected utf-8, cp1252, ...)") from None


def decode_lines(path: Path, encoding: TextEncoding) -> Iterator[str]:
    """Return the lines of a file with their ends, without a byte order mark.

    Raises:
        InputError: If the file is not text of the encoding; the message names the line.
    """
    if encoding.name.lower() in UTF8:
        advice = "expected UTF-8" if encoding.setting is None else f"{encoding.setting} names another"
        lines = _decode_utf8(path, advice)
    else:
        lines = _decode_other(path, encoding.name)
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise InputError(f"{path}, line {number}: holds a NUL byte (expected text)")
        yield line.removeprefix("\ufeff") if number == 1 else line


def _decode_utf8(path: Path, advice: str) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}, line {number}: not UTF-8 text ({error.reason}; {advice})") from None


def _decode_other(path: Path, encoding: str) -> Iterator[str]:
    number = 0
    with path.open(encoding=encoding, newline="\n") as file:
        try:
            for line in file:
                number += 1
                yield line
        except UnicodeError as error:
            raise InputError(f"{path}, after line {number}: not {encoding} text ({error})") from None


def carriage_return(path: Path, line: int) -> InputError:
    """Return the error of a line that holds a carriage return elsewhere than at its end."""
    return InputError(f"{path}, line {line}: a carriage return inside a line (expected LF or CRLF)")
