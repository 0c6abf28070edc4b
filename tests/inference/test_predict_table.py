"""A table, and beside its columns what a trained model predicts of its rows."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from inference import Predictor
from inference.predict_table import main
from inference.table_reading import find_layout, read_table
from tasks import Classification, Source
from tasks.rows import FileFormat

ROWS = [
    {"id": "7", "sentence": 'a "good" film, really', "sentence1": "the cat", "sentence2": "a dog", "note": "x\ny"},
    {"id": "007", "sentence": " ", "sentence1": "a song", "sentence2": "a film", "note": ""},
    {"id": "8", "sentence": "slow and bad", "sentence1": "is it good", "sentence2": "was it", "note": "über"},
]
NEW = ["sst_predicted", "sst_probability", "quora_predicted", "quora_probability", "near_predicted", "size_predicted"]


@pytest.fixture(scope="module")
def run(tiny_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.mktemp("own") / "own.tsv"
    own.write_text("sentence\tsize\na good film\tlong\nbad\tlong;short\nslow\t\n")
    sizes = {"source": {"train": str(own), "dev": str(own)}, "texts": ["sentence"], "label": "size", "separator": ";"}
    tasks = {
        "sst": "Sst",
        "quora": "Quora",
        "near": {"class_path": "Sts", "init_args": {"encoding": "cross"}},
        "size": {
            "class_path": "MultiLabel",
            "init_args": {**sizes, "classes": ["long", "short"], "empty_is_none": True},
        },
    }
    project = tiny_project(tasks=tasks, trainer__max_epochs=1)
    ended = project.run()
    assert ended.code == 0, ended.output
    return Path(project.version(0))


def write_csv(path: Path, rows: list[dict[str, str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def predict(run: Path, table: Path, *flags: str) -> list[dict[str, str]]:
    output = table.parent / "predicted.csv"
    output.unlink(missing_ok=True)
    assert main([str(run), str(table), "--output", str(output), *flags]) == 0
    return read(output)


def test_every_row_keeps_its_cells_and_gets_what_the_predictor_says(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = predict(run, write_csv(tmp_path / "new.csv", ROWS))
    assert list(found[0]) == [*ROWS[0], *NEW]
    assert [{name: row[name] for name in ROWS[0]} for row in found] == ROWS
    assert "new.csv, line 4: not predicted, sentence is empty" in capsys.readouterr().out
    assert [found[1][name] == "" for name in NEW] == [True, True, False, False, False, True]
    predictor = Predictor.load(run)
    singles = [ROWS[0]["sentence"], ROWS[2]["sentence"]]
    for row, one in zip((found[0], found[2]), predictor.predict("sst", singles), strict=True):
        assert row["sst_predicted"] == one.label
        assert float(row["sst_probability"]) == pytest.approx(one.probabilities[one.label], abs=2e-6)
    for row, one in zip((found[0], found[2]), predictor.predict("size", singles), strict=True):
        assert row["size_predicted"] == one.label
    pairs = [(row["sentence1"], row["sentence2"]) for row in ROWS]
    for row, one in zip(found, predictor.predict("near", pairs), strict=True):
        assert float(row["near_predicted"]) == pytest.approx(one.score, abs=2e-6)


def test_all_formats_of_a_table_give_the_same(run: Path, tmp_path: Path) -> None:
    expected = predict(run, write_csv(tmp_path / "new.csv", ROWS))
    (tmp_path / "new.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "new.parquet")
    assert predict(run, tmp_path / "new.jsonl") == expected
    assert predict(run, tmp_path / "new.parquet") == expected
    assert predict(run, write_csv(tmp_path / "new.tsv", ROWS, "\t")) == expected
    tabs = write_csv(tmp_path / "tabs.csv", ROWS[2:], "\t")  # as the files of Sst and Quora
    assert predict(run, tabs) == expected[2:]
    other = write_csv(tmp_path / "other.csv", ROWS, ";", "cp1252")
    assert predict(run, other, "--delimiter", ";", "--encoding", "cp1252") == expected


def test_columns_that_no_task_reads_may_hold_anything(run: Path, tmp_path: Path) -> None:
    rows = [
        {"sentence": "a film", "meta": {"a": [1, "ü"]}, "tags": ["x"], "n": 4.5},
        {"sentence": "slow", "later": True},
    ]
    (tmp_path / "new.json").write_text(json.dumps(rows))
    found = predict(run, tmp_path / "new.json", "--tasks", "sst")
    shown = ["sentence", "meta", "tags", "n", "later"]
    assert [[row[name] for name in shown] for row in found] == [
        ["a film", '{"a": [1, "ü"]}', '["x"]', "4.5", ""],
        ["slow", "", "", "", "true"],
    ]
    (tmp_path / "list.json").write_text(json.dumps([{"sentence": ["a", "b"]}]))
    assert main([str(run), str(tmp_path / "list.json"), "--output", str(tmp_path / "x.csv")]) == 2


def test_quotes_are_text_where_they_are_in_the_own_files_of_a_task(tmp_path: Path) -> None:
    source = Source(train="a.tsv")
    task = Classification(source=source, texts=("text",), label="y", num_classes=2, quotes=False)
    (tmp_path / "new.tsv").write_text('text\tn\ngood film\t1\n"Great" he said\t2\n')
    for given in (FileFormat(), FileFormat(delimiter="\t")):
        layout = find_layout(tmp_path / "new.tsv", [task], given)
        table = read_table(tmp_path / "new.tsv", ["text"], layout)
        assert [row.fields["text"] for row in table.texts] == ["good film", '"Great" he said']


def test_tasks_texts_and_probabilities_can_be_chosen(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_csv(tmp_path / "new.csv", [{"q": row["sentence1"], "sentence": row["sentence1"]} for row in ROWS])
    found = predict(run, table)
    assert list(found[0]) == ["q", "sentence", "sst_predicted", "sst_probability", "size_predicted"]
    assert "quora: left out, the table has no sentence1 and sentence2" in capsys.readouterr().out
    shares = ["size_long", "size_short"]
    chosen = predict(run, table, "--tasks", "size", "--texts", "q", "--probabilities")
    assert list(chosen[0]) == ["q", "sentence", "size_predicted", *shares]
    for row, one in zip(chosen, Predictor.load(run).predict("size", [row["q"] for row in found]), strict=True):
        assert [float(row[name]) for name in shares] == pytest.approx(list(one.probabilities.values()), abs=2e-6)


def test_what_cannot_be_predicted_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_csv(tmp_path / "new.csv", ROWS)
    other = write_csv(tmp_path / "other.csv", [{"x": "a", "sst_predicted": "b"}])
    empty = write_csv(tmp_path / "empty.csv", [{"sentence": " "}])
    one = write_csv(tmp_path / "one.csv", [{"sentence": "a"}])
    (header := tmp_path / "header.csv").write_text("sentence\n")
    (twice := tmp_path / "twice.csv").write_text("sentence,note,note\na,b,c\n")
    (latin := tmp_path / "latin.csv").write_bytes("sentence\nübel und ärgerlich\n".encode("cp1252"))
    (tmp_path / "a.xlsx").touch()
    for source, flags, message in (
        (table, ["--tasks", "nli"], "no task 'nli' (expected sst, quora, near, size)"),
        (table, ["--texts", "y"], "new.csv: no column 'y' (found 'id'"),
        (table, ["--delimiter", ";;"], "inference.predict_table: delimiter is ';;' (expected one"),
        (latin, [], "latin.csv, line 2: not UTF-8 text (invalid start byte; --encoding names another)"),
        (table, ["--encoding", "utf-9"], "--encoding is 'utf-9' (expected utf-8, cp1252"),
        (other, [], "other.csv: no task reads its columns 'x', 'sst_predicted' (expected sentence or sentence1 and s"),
        (other, ["--texts", "x"], "other.csv: two columns would be named 'sst_predicted'"),
        (empty, [], "empty.csv: no row has a text (sentence)"),
        (header, [], "header.csv: has no rows"),
        (twice, [], "twice.csv: two columns are named 'note' (expected one)"),
        (tmp_path / "a.xlsx", [], "a.xlsx: is a spreadsheet"),
        (
            table,
            ["--tasks", "sst", "quora", "--texts", "sentence"],
            "--tasks quora: cannot be predicted, it reads 2 text",
        ),
        (
            one,
            ["--tasks", "sst", "near"],
            "--tasks near: cannot be predicted, the table has no sentence1 and sentence2",
        ),
        (tmp_path / "none.csv", [], "none.csv: no such file (expected a table)"),
    ):
        assert main([str(run), str(source), "--output", str(tmp_path / "out.csv"), *flags]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out.csv").exists()
    before = table.read_bytes()
    for output, message in ((table, "is there already (expected a new file)"), (tmp_path / "x.xlsx", "with .csv)")):
        assert main([str(run), str(table), "--output", str(output)]) == 2
        assert message in capsys.readouterr().err
    assert table.read_bytes() == before


def test_a_table_may_lack_the_header_line_that_the_own_files_of_a_task_lack(tmp_path: Path) -> None:
    source = Source(train="a.tsv", columns=("id", "text", "y"))
    task = Classification(source=source, texts=("text",), label="y", num_classes=2)
    (tmp_path / "bare.tsv").write_text("1\ta film\t\n2\tslow\t\n")
    (tmp_path / "named.tsv").write_text("text\tn\na film\t1\nslow\t2\n")
    for name in ("bare.tsv", "named.tsv"):
        layout = find_layout(tmp_path / name, [task], FileFormat())
        assert [row.fields["text"] for row in read_table(tmp_path / name, ["text"], layout).rows] == ["a film", "slow"]


def test_rows_without_a_text_are_counted(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_csv(tmp_path / "new.csv", [{"sentence": "a", "n": "1"}, *[{"sentence": "", "n": "1"}] * 9])
    predict(run, table)
    told = capsys.readouterr().out
    assert told.count("not predicted") == 5
    assert "and 4 more\n10 rows: " in told
