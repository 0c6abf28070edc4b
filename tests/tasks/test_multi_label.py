"""Tasks with several labels a row: what a cell may hold, and what is wrong with one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from heads import LabelSets
from tasks import InputError, MultiLabel, PairMultiLabel, Source
from tasks.multi_label import LabelSetTask

GENRES = ("film", "music", "sport")


def task(file: str = "own.tsv", **settings: Any) -> MultiLabel:
    arguments: dict[str, Any] = {"texts": ("text",), "label": "tags", "classes": GENRES, **settings}
    return MultiLabel(source=Source(train=file, dev=file, test=file), **arguments)


def read(one: LabelSetTask, folder: Path, cells: list[str], split: Any = "train") -> list[Any]:
    lines = [f"t {number}\t{cell}" for number, cell in enumerate(cells)]
    (folder / "own.tsv").write_text("\n".join(["text\ttags", *lines]) + "\n")
    return [example.label for example in one.read(split, folder, lambda note: None)]


def test_labels_are_joined_by_a_separator(tmp_path: Path) -> None:
    cells = ["film;music", "sport", " music ; film ", "film;film"]
    assert read(task(separator=";"), tmp_path, cells) == [(0, 1), (2,), (0, 1), (0,)]


def test_a_cell_of_a_delimited_file_may_be_a_json_list(tmp_path: Path) -> None:
    cells = ['["music", "film"]', "[]", '["sport"]']
    assert read(task(quotes=False), tmp_path, cells) == [(0, 1), (), (2,)]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_lists_of_a_files_own_format_are_read(tmp_path: Path, kind: str) -> None:
    rows: list[dict[str, Any]] = [{"text": f"t {n}", "tags": tags} for n, tags in enumerate([["music"], [], None])]
    path = tmp_path / f"own.{kind}"
    if kind == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text(json.dumps(rows) if kind == "json" else "".join(json.dumps(row) + "\n" for row in rows))
    one = task(path.name, missing_labels="ignore")
    assert [example.label for example in one.read("train", tmp_path, lambda note: None)] == [(1,), (), None]


def test_a_list_in_another_column_stays_an_error(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"text": ["a"], "tags": ["film"]}\n')
    with pytest.raises(InputError, match=r"line 1: text is a list \(expected a text"):
        list(task("own.jsonl").read("train", tmp_path, lambda note: None))


def columns(folder: Path, rows: list[str], **settings: Any) -> list[Any]:
    (folder / "own.csv").write_text("\n".join(["text,toxic,insult", *rows]) + "\n")
    one = task("own.csv", classes=None, label_columns=("toxic", "insult"), **settings)
    return [example.label for example in one.read("train", folder, lambda note: None)]


def test_labels_may_be_columns_of_zeros_and_ones(tmp_path: Path) -> None:
    assert columns(tmp_path, ["a,1,0", "b,0,0", "c,1.0,1.0", "d,true,false"]) == [(0,), (), (0, 1), (0,)]
    assert columns(tmp_path, ["a,1,0", "b,,"], missing_labels="ignore") == [(0,), None]
    assert columns(tmp_path, ["a,1,0", "b,-1,-1"], missing_labels=(-1,)) == [(0,), None]


@pytest.mark.parametrize(
    ("row", "message"),
    [("a,1,2", "insult is '2' (expected 0 or 1)"), ("a,,1", "toxic is '' (expected 0 or 1)")],
)
def test_a_cell_of_a_column_that_is_neither_is_an_error(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        columns(tmp_path, [row], missing_labels="ignore")
    assert str(error.value) == f"{tmp_path}/own.csv, line 2: {message}"


def test_a_test_split_keeps_rows_with_such_a_cell(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("text,toxic,insult\na,1,0\nb,maybe,0\nc,,\n")
    one = task("own.csv", classes=None, label_columns=("toxic", "insult"))
    notes: list[str] = []
    assert [example.label for example in one.read("test", tmp_path, notes.append)] == [(0,), None, None]
    assert notes == [
        f"{tmp_path}/own.csv, line 3: toxic is 'maybe' (expected 0 or 1): such rows can be predicted, not scored"
    ]
    with pytest.raises(InputError, match=r"line 3: toxic is 'maybe' \(expected 0 or 1\)"):
        one.find_unlabelled("test", tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("text,toxic\na,1\n")
    one = task("own.csv", classes=None, label_columns=("toxic", "insult"))
    with pytest.raises(InputError, match="no column 'insult'"):
        list(one.read("train", tmp_path, lambda note: None))


def test_an_empty_cell_is_an_error_a_gap_or_no_label_as_the_task_says(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 3: tags is empty \(expected a label\)"):
        read(task(separator=";"), tmp_path, ["film", ""])
    assert read(task(separator=";", missing_labels="ignore"), tmp_path, ["film", ""]) == [(0,), None]
    assert read(task(separator=";", empty_is_none=True), tmp_path, ["film", ""]) == [(0,), ()]
    both = task(separator=";", empty_is_none=True, missing_labels=("NA",))
    assert read(both, tmp_path, ["NA", ""]) == [None, ()]
    assert read(task(separator=";"), tmp_path, ["film", ""], "test") == [(0,), None]


@pytest.mark.parametrize("columns", [{"separator": ";"}, {"classes": None, "label_columns": ("film", "music")}])
def test_a_test_split_without_the_column_has_no_labels(tmp_path: Path, columns: dict[str, Any]) -> None:
    """No cell says that no label applies: there is none to compare predictions with."""
    (tmp_path / "own.tsv").write_text("text\nt 0\n")
    one = task(empty_is_none=True, **columns)
    assert [example.label for example in one.read("test", tmp_path, lambda note: None)] == [None]
    assert one.find_unlabelled("test", tmp_path) == f"{tmp_path}/own.tsv, line 2"


@pytest.mark.parametrize(
    ("cell", "settings", "message"),
    [
        (
            "film;jazz",
            {"separator": ";"},
            "tags is 'film;jazz' (expected labels out of film, music, sport, not 'jazz')",
        ),
        ("film;;", {"separator": ";"}, "tags is 'film;;' (expected labels out of film, music, sport, not '')"),
        ("film", {}, """tags is 'film' (expected a JSON list of labels such as ["a", "b"], or set separator)"""),
        ("{}", {}, """tags is '{}' (expected a JSON list of labels such as ["a", "b"], or set separator)"""),
    ],
)
def test_a_cell_that_is_no_set_is_an_error(tmp_path: Path, cell: str, settings: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        read(task(**settings), tmp_path, [cell])
    assert str(error.value) == f"{tmp_path}/own.tsv, line 2: {message}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"separator": ";", "classes": ("a;b", "c")}, "the label 'a;b' holds the separator ';' (expected another one)"),
        ({"separator": ""}, "separator is empty (expected a text, or none for JSON lists)"),
        (
            {"separator": r"\t"},
            r"""separator is '\\t' (expected a text; a tab is "\t" in YAML, $'\t' in a shell)""",
        ),
        ({"classes": None}, "has no classes (expected the labels of the file, or label_columns)"),
        ({"classes": ("a", "a")}, "a class appears twice in a, a"),
        (
            {"label_columns": ("x", "y")},
            "has 3 classes (expected 2, one for each of label_columns)",
        ),
        (
            {"label_columns": ("x", "y"), "classes": None, "separator": ";"},
            "separator is given beside label_columns (expected one of both)",
        ),
        ({"label_columns": ("x", "x"), "classes": None}, "a class appears twice in x, x"),
        ({"thresholds": {"jazz": 0.3}}, "thresholds has 'jazz' (expected film, music, sport)"),
        ({"thresholds": {"film": 1.5}}, "the threshold of film is 1.5 (expected 0 to 1)"),
        ({"class_weights": {"jazz": 2.0}}, "class_weights has 'jazz' (expected film, music, sport)"),
        ({"class_weights": {"film": 0.0}}, "the weight of class film is 0.0 (expected above 0)"),
        (
            {"empty_is_none": True, "missing_labels": "ignore"},
            "empty_is_none is true, but missing_labels takes an empty cell as a gap (expected one of both)",
        ),
        ({"metrics": ("accuracy",)}, "metric 'accuracy' does not fit sets of labels (expected one of macro_f1"),
        ({"metrics": ("hamming_loss",)}, "the first of metrics must be one where higher is better"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(settings: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        task(**settings)
    assert str(error.value).startswith(f"MultiLabel: {message}")


def test_a_word_for_gaps_may_not_be_a_label_in_a_set() -> None:
    with pytest.raises(InputError, match="missing_labels has 'film', which is a label"):
        task(separator=";", missing_labels=("film",))


@pytest.mark.parametrize(("settings", "text"), [({"separator": ";"}, "film;sport"), ({}, '["film", "sport"]')])
def test_a_set_is_written_as_it_is_read(settings: Any, text: str) -> None:
    one = task(**settings)
    assert one.format_label([1, 0, 1]) == text
    assert one.parse_label(text) == (0, 2)
    assert one.parse_label(one.format_label(np.zeros(3))) == ()


def test_thresholds_are_those_of_the_labels_in_order() -> None:
    assert task().labels == LabelSets(3)
    assert task(thresholds={"sport": 0.2}).labels == LabelSets(3, (0.5, 0.5, 0.2))


def test_neither_thresholds_nor_weights_change_what_is_read() -> None:
    plain, other = task(), task(thresholds={"film": 0.2}, class_weights="balanced")
    assert plain.reading_settings() == other.reading_settings()
    assert plain.reading_settings() != task(separator=";").reading_settings()


def test_pairs_may_have_several_labels(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("a,b,tags\nx,y,film|sport\n")
    one = PairMultiLabel(
        source=Source(train="own.csv"), texts=("a", "b"), label="tags", classes=GENRES, separator="|", encoding="bi"
    )
    (example,) = one.read("train", tmp_path, lambda note: None)
    assert (example.texts, example.label) == (("x", "y"), (0, 2))
