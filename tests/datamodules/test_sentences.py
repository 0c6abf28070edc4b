import io
from pathlib import Path

import pytest

from datamodules import SentenceInput
from datamodules.sentences import read_sentences
from tasks import Classification, Example, InputError, Quora, Source, Sst, Task


def read(task: Task, file: Path | str) -> list[Example]:
    return list(read_sentences(SentenceInput("name", str(file)), task))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_lines_of_standard_input_are_numbered_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("A good film\n Not so good .\n"))

    assert read(Sst(), "-") == [Example("0", ("A good film",), None), Example("1", (" Not so good .",), None)]


def test_standard_input_is_the_default() -> None:
    assert SentenceInput("sst").file == "-"


def test_empty_standard_input_gives_no_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert read(Quora(), "-") == []


def test_pairs_of_a_text_file_are_divided_by_a_tab(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.txt", 'How ?\tWhy ?\nZoë’s, "quoted"\t日本語')

    assert read(Quora(), path) == [
        Example("0", ("How ?", "Why ?"), None),
        Example("1", ('Zoë’s, "quoted"', "日本語"), None),
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_no_text(tmp_path: Path) -> None:
    path = write(tmp_path, "lines.txt", "\ufeffgood\r\nbad\r\n")

    assert [example.texts for example in read(Sst(), path)] == [("good",), ("bad",)]


def test_a_file_in_the_home_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "lines.txt", "good\n")

    assert len(read(Sst(), "~/lines.txt")) == 1


def test_a_csv_file_is_read_by_the_columns_and_the_delimiter_of_the_task(tmp_path: Path) -> None:
    path = write(tmp_path, "own.csv", "\tid\tsentence1\tsentence2\n0\tab\tHow, then ?\tWhy ?\n1\tcd\tx\ty\n")

    assert read(Quora(), path) == [Example("ab", ("How, then ?", "Why ?"), None), Example("cd", ("x", "y"), None)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.tsv", "sentence\textra\ngood\t1\nbad\t2\n"),
        ("own.csv", "sentence\textra\ngood\t1\nbad\t2\n"),
        ("own.jsonl", '{"sentence": "good", "extra": 1}\n{"sentence": "bad"}\n'),
        ("own.JSON", '[{"sentence": "good", "extra": [1]},\n {"sentence": "bad"}]'),
        ("own.CSV", "sentence\tx\ngood\t1\nbad\t2\n"),
    ],
)
def test_rows_without_an_id_are_numbered(tmp_path: Path, name: str, text: str) -> None:
    assert read(Sst(), write(tmp_path, name, text)) == [Example("0", ("good",), None), Example("1", ("bad",), None)]


def test_a_label_column_of_the_file_is_left_out(cs224n_root: Path) -> None:
    examples = read(Sst(), cs224n_root / "ids-sst-dev.csv")

    assert len(examples) == 12
    assert {example.label for example in examples} == {None}
    assert examples[0].id == "ids-sst-12"


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        (Sst(), "good\n\t\nbad\n", r"lines\.txt, line 2: '' \(expected one sentence\)"),
        (Quora(), "a\tb\n\t\n", r"lines\.txt, line 2: '' \(expected two sentences divided by a tab\)"),
        (Sst(), "good\tbad\n", r"lines\.txt, line 1: 'good\\tbad' \(expected one sentence\)"),
        (Quora(), "a\tb\nonly one\n", r"lines\.txt, line 2: 'only one' \(expected two sentences divided by a tab\)"),
        (Quora(), "a\tb\tc\n", r"lines\.txt, line 1: 'a\\tb\\tc' \(expected two sentences divided by a tab\)"),
        (Quora(), "a\t \n", r"lines\.txt, line 1: 'a' \(expected two sentences divided by a tab\)"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, task: Task, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(task, write(tmp_path, "lines.txt", text))


def test_a_line_of_standard_input_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a\tb\nc\n"))
    with pytest.raises(InputError, match=r"^standard input, line 2: 'c' \(expected two sentences divided by a tab\)$"):
        read(Quora(), "-")


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv"])
def test_a_table_that_is_not_utf_8_is_refused_whatever_the_tasks_own_files_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("text\ncaf\xe9\n".encode("cp1252"))
    task = Classification(source=Source(train="a.csv", encoding="cp1252"), texts=("text",), label="y", num_classes=2)
    with pytest.raises(InputError, match=rf"{name}, line 2: not UTF-8 text \(.*; expected UTF-8\)$"):
        read(task, tmp_path / name)


def test_a_text_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes("good\ncafé\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"lines\.txt, line 2: not UTF-8 text \(.*; expected UTF-8\)$"):
        read(Sst(), tmp_path / "lines.txt")


def test_a_carriage_return_inside_a_line_is_refused(tmp_path: Path) -> None:
    """A file whose lines end in carriage returns alone would be one long sentence."""
    with pytest.raises(
        InputError, match=r"lines\.txt, line 1: a carriage return inside a line \(expected LF or CRLF\)"
    ):
        read(Sst(), write(tmp_path, "lines.txt", "good\rbad\r"))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_standard_input_is_utf_8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    def give(content: bytes) -> None:
        wrapped = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, errors="surrogateescape")
        monkeypatch.setattr("sys.stdin", wrapped)

    give("\ufeffcafé\n".encode())
    assert [example.texts for example in read(Sst(), "-")] == [("café",)]
    give(b"caf\xe9\n")
    with pytest.raises(InputError, match=r"^standard input: not UTF-8 text \("):
        read(Sst(), "-")


def test_a_column_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"own\.csv: two columns are named 'sentence' \(expected one\)"):
        read(Sst(), write(tmp_path, "own.csv", "sentence\tsentence\na\tb\n"))


def test_a_row_without_text_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "own.csv", "id\tsentence1\tsentence2\na\tx\ty\nb\tx\t \n")
    with pytest.raises(
        InputError, match=r"own\.csv, line 3: sentence1 or sentence2 is missing or empty \(expected text\)"
    ):
        read(Quora(), path)


def test_a_file_without_the_column_is_told_what_it_has(tmp_path: Path) -> None:
    path = write(tmp_path, "own.csv", "id,sentence\n1,good\n")
    with pytest.raises(InputError, match=r"own\.csv: no column 'sentence' \(found 'id,sentence'; "):
        read(Sst(), path)


@pytest.mark.parametrize("name", ["none.txt", "none.csv", ""])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"no such file \(expected sentences to predict\)"):
        read(Sst(), tmp_path / name)
