"""What users' files get wrong, through the command line: one sentence before any training, and nothing written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.cli.command_line import CommandLine

GOOD = "name,text,y\na,a good film,1\nb,a bad film,0\nc,very dull,0\n"
SETTINGS = '"texts": ["text"], "label": "y", "id": "name", "num_classes": 2'
FILES = '"source": {"train": "train.csv", "dev": "dev.csv"}'
TASKS = f'{{"films": {{"class_path": "Classification", "init_args": {{{FILES}, {SETTINGS}}}}}}}'

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty file": (b"", "train.csv: is empty (expected a header line)"),
    "header alone": (b"name,text,y\n", "train.csv: has no rows (task films, train split)"),
    "missing column": (b"name,text\na,good\n", "train.csv: no column 'y' (found 'name', 'text'"),
    "another delimiter": (
        b"name;text;y\na;good;1\n",
        "train.csv: no column 'text' (found 'name;text;y'; if that is several names",
    ),
    "empty text": (b"name,text,y\na,good,1\nb, ,0\n", "train.csv, line 3: text is empty (expected text)"),
    "empty label": (b"name,text,y\na,good,\n", "train.csv, line 2: y is empty (expected a label)"),
    "label out of range": (b"name,text,y\na,good,1\nb,bad,2\n", "train.csv, line 3: y is '2' (expected 0 or 1)"),
    "label of another type": (b"name,text,y\na,good,yes\n", "train.csv, line 2: y is 'yes' (expected 0 or 1)"),
    "label no number": (b"name,text,y\na,good,nan\n", "train.csv, line 2: y is 'nan' (expected 0 or 1)"),
    "id twice": (
        b"name,text,y\na,good,1\na,bad,0\n",
        "train.csv, line 3: name is 'a', as in an earlier row (expected unique ids",
    ),
    "NUL byte": (b"name,text,y\na,go\0od,1\n", "train.csv, line 2: holds a NUL byte (expected text)"),
    "not UTF-8": (b"name,text,y\na,good,1\nb,caf\xe9,0\n", "train.csv, line 3: not UTF-8 text"),
    "open quote": (b'name,text,y\na,"good,1\nb,bad,0\n', "train.csv, line 2: a quote that is never closed"),
    "too many cells": (b"name,text,y\na,good,bad,1\n", "train.csv, line 2: has 4 cells (expected 3 as in the header)"),
    "blank in the header": (b"name,text ,y\na,good,1\n", "'text ', 'y') (did you mean 'text '?)"),
    "Excel's first line": (b"sep=,\nname,text,y\na,good,1\n", "train.csv, line 1: is Excel's note of the delimiter"),
    "column twice": (b"name,text,text,y\na,good,bad,1\n", "train.csv: two columns are named 'text' (expected one)"),
}
ACCEPTED: dict[str, bytes] = {
    "CRLF and a byte order mark": b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
    "one example": b"name,text,y\na,a good film,1\n",
    "a sentence of 100,000 letters": f"name,text,y\na,{'film ' * 20_000},1\nb,bad,0\n".encode(),
    "words that no tokenizer knows": "name,text,y\na,𝔊𝔬𝔬𝔡,1\nb,\U0001f9ff\U0010fffd,0\n".encode(),
    "every plane of Unicode": "".join(
        ["name,text,y\n", *(f"r{plane},good {chr(plane * 0x10000 + 0xABCD)} film,{plane % 2}\n" for plane in range(17))]
    ).encode(),
    "formulas of a spreadsheet": b"name,text,y\na,=1+1,1\nb,@SUM(A1),0\nc,-2+3,1\n",
    "a class that never comes": b"name,text,y\na,a good film,1\nb,a fine film,1\n",
}


@pytest.fixture
def films(tmp_path: Path) -> Callable[[bytes], list[object]]:
    """Write the training file, and give the flags of its task."""
    root = tmp_path / "data"
    root.mkdir()
    (root / "dev.csv").write_text(GOOD)

    def write(train: bytes) -> list[object]:
        (root / "train.csv").write_bytes(train)
        return ["--tasks", TASKS, "--data.root", root]

    return write


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_file_is_refused_with_one_sentence_and_nothing_is_written(
    case: str, films: Callable[[bytes], list[object]], train: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = REFUSED[case]
    train.refuse("fit", *films(content), config=None)
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert message in printed
    assert not (train.folder / "runs").exists()


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_odd_file_is_trained_on(
    case: str, films: Callable[[bytes], list[object]], train: CommandLine, caplog: pytest.LogCaptureFixture
) -> None:
    folder = train("fit", *films(ACCEPTED[case]), config=None)
    assert (folder / "report.json").is_file()
    assert ("has no example of class 0" in caplog.text) == (case in ("a class that never comes", "one example"))


def test_a_missing_file_and_a_folder_are_refused(
    films: Callable[[bytes], list[object]], train: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = films(GOOD.encode())
    path = Path(str(flags[-1])) / "train.csv"
    path.unlink()
    train.refuse("fit", *flags, config=None)
    assert f"error: {path}: no such file (the train split; relative paths start from" in capsys.readouterr().err
    path.mkdir()
    train.refuse("fit", *flags, config=None)
    assert f"error: {path}: is a folder (expected a file of the train split)" in capsys.readouterr().err
    assert not (train.folder / "runs").exists()


@pytest.mark.parametrize("command", ["check", "plan", "fit"])
@pytest.mark.parametrize("name", ["type", "items", "a.b", "a/b", "../x", "", "training", "mean"])
def test_a_task_name_that_means_something_else_is_refused_by_each_command(
    command: str,
    name: str,
    films: Callable[[bytes], list[object]],
    train: CommandLine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = films(GOOD.encode())
    train.refuse(command, flags[0], str(flags[1]).replace('"films"', f'"{name}"'), *flags[2:], config=None)
    assert f"error: task name {name!r} cannot be used" in capsys.readouterr().err
    assert not (train.folder / "runs").exists()


@pytest.mark.parametrize("name", ["5", "yes", "null", "1.5"])
@pytest.mark.parametrize("command", ["check", "fit"])
def test_a_task_name_that_yaml_reads_as_no_text_is_refused(
    command: str, name: str, train: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"tasks: {{{name}: Sst}}", encoding="utf-8")
    train.refuse(command, "-c", str(config), config=None)
    assert f"error: task name {yaml.safe_load(name)!r} is " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "vocab.txt").unlink(), "no tokenizer"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no weights (expected model.safetensors or"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json in"),
    ],
)
def test_half_a_backbone_is_refused(
    change: Callable[[Path], object],
    message: str,
    tiny_backbone: Path,
    tmp_path: Path,
    films: Callable[[bytes], list[object]],
    train: CommandLine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "half"
    shutil.copytree(tiny_backbone, folder)
    change(folder)
    train.refuse("fit", *films(GOOD.encode()), "--model.backbone", folder, config=None)
    assert f"error: backbone {folder}: {message}" in capsys.readouterr().err
    assert not (train.folder / "runs").exists()
