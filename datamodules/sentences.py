"""Sentences of the user's own, to be predicted."""

import io
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tasks import Example, InputError, Task
from tasks.cells import check_columns
from tasks.rows import FILE_FORMATS, FileFormat, read_rows
from tasks.text_lines import ONLY_UTF8, carriage_return, decode_lines


@dataclass(frozen=True)
class SentenceInput:
    """Where the sentences come from.

    Args:
        task: Name of the task that predicts them; None for the only one.
        file: `-` for standard input or a .txt file with one example a line, the two sentences of a pair divided by a
            tab, blank lines left out; or a .csv, .tsv, .jsonl, .json or .parquet file with the task's text columns.
    """

    task: str | None = None
    file: str = "-"

    def of(self, tasks: Collection[str]) -> Self:
        """Return it with its task.

        Args:
            tasks: Names of the tasks that there are.

        Raises:
            InputError: If it names none of them, or none at all where there are several.
        """
        task = next(iter(tasks)) if self.task is None and len(tasks) == 1 else self.task
        if task not in tasks:
            said = "not given" if task is None else repr(task)
            raise InputError(f"data.sentences.task is {said} (expected one of {', '.join(tasks)})")
        return replace(self, task=task)

    @property
    def task_name(self) -> str:
        """Name of the task."""
        assert self.task is not None  # see `of`
        return self.task


def read_sentences(source: SentenceInput, task: Task) -> Iterator[Example]:
    """Return the user's examples in order, with the numbers of their lines from 0 or the ids of the task's id column.

    Args:
        source: Where they come from.
        task: The task that `source` names.

    Raises:
        InputError: If the file is missing or not UTF-8, or a row lacks a text; the message names the line.
    """
    path = Path(source.file).expanduser()
    if source.file == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):  # which elsewhere lets bytes that are no text through
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")
        yield from _read_lines(_decode(sys.stdin), Path("standard input"), len(task.texts))
    elif not path.is_file():
        raise InputError(f"{path}: no such file (expected sentences to predict)")
    elif path.suffix.lower() in {*FILE_FORMATS} - {".txt"}:
        yield from _read_columns(path, task)
    else:
        yield from _read_lines(decode_lines(path, ONLY_UTF8), path, len(task.texts))


def _decode(lines: Iterable[str]) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise InputError(f"standard input: not UTF-8 text ({error.reason})") from None


def _read_lines(lines: Iterable[str], where: Path, num_texts: int) -> Iterator[Example]:
    for number, line in enumerate(lines):
        content = line.rstrip("\r\n")
        if "\r" in content:
            raise carriage_return(where, number + 1)
        if not content.strip(" "):
            continue
        texts = tuple(content.split("\t"))
        if len(texts) != num_texts or not all(text.strip() for text in texts):
            expected = "one sentence" if num_texts == 1 else "two sentences divided by a tab"
            raise InputError(f"{where}, line {number + 1}: {line.strip()!r} (expected {expected})")
        yield Example(str(number), texts, None)


def _read_columns(path: Path, task: Task) -> Iterator[Example]:
    delimiter = task.delimiter if path.suffix.lower() == ".csv" else None
    layout = FileFormat(delimiter=delimiter, quotes=task.quotes, encoding=ONLY_UTF8)
    for number, row in enumerate(read_rows(path, [*task.texts, *([task.id] if task.id else [])], layout=layout)):
        if number == 0:
            check_columns(row, task.texts)
        texts = tuple(row.fields.get(column) or "" for column in task.texts)
        if not all(text.strip() for text in texts):
            raise InputError(f"{row.where}: {' or '.join(task.texts)} is missing or empty (expected text)")
        name = (row.fields.get(task.id) or "").strip() if task.id else ""
        yield Example(name or str(number), texts, None)
