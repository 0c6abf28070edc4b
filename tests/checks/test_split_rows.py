import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.split_rows import CHUNK, read_split_rows
from datamodules.encoding import open_split
from tasks import Classification, Source

ROWS = [{"text": "a good film", "y": 1}, {"text": "dull", "y": 0}, {"text": "fine, really", "y": 1}]


def write(folder: Path, ending: str) -> Source:
    if ending == "hub":
        (folder / "set").mkdir()
        lines = [json.dumps(row) for row in ROWS]
        (folder / "set" / "train.jsonl").write_text("\n".join(lines) + "\n")
        return Source(hub=str(folder / "set"))
    path = folder / f"train.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif ending == "jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)))
    elif ending == "json":
        path.write_text(json.dumps(ROWS))
    else:
        path.write_text("text\ty\n" + "".join(f"{row['text']}\t{row['y']}\n" for row in ROWS))
    return Source(train=path.name)


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "json", "parquet", "hub"])
def test_a_row_of_any_format_says_where_it_is_as_an_error_would(ending, tmp_path, tokenizer):
    task = Classification(source=write(tmp_path, ending), texts=("text",), label="y", num_classes=2)
    options = {"tokenizer": tokenizer, "max_length": 32, "cache_dir": tmp_path / "cache", "report": lambda note: None}
    store = open_split(task, "train", root=tmp_path, **options)
    rows = read_split_rows("films", task, "train", store, root=tmp_path, folder=tmp_path, special=[])
    places = [where for where, _ in task.read_located("train", tmp_path, lambda note: None)]
    assert [rows.where(row) for row in range(3)] == places
    assert len(set(places)) == 3
    assert rows.labels.tolist() == [1, 0, 1]
    assert [rows.texts[row] for row in range(3)] == [("a good film",), ("dull",), ("fine, really",)]


def test_a_score_is_shown_with_all_digits_of_its_file(make_splits):
    rows = make_splits({"train": [("a", "one", "two", "3.1415926")]}, classes=0)["train"]
    assert rows.label(0) == "3.1415926"


def test_texts_are_found_across_chunks(make_splits):
    count = CHUNK + 3
    rows = make_splits({"train": [(f"r{n}", f"first {n}", f"second {n}", n % 2) for n in range(count)]})["train"]
    assert len(rows) == count
    wanted = rows.numbers[[3, CHUNK - 1, CHUNK, count - 1]] - 2
    assert list(rows.texts.take(wanted)) == [(f"first {n}", f"second {n}") for n in wanted]
    assert rows.texts[CHUNK] == (f"first {CHUNK}", f"second {CHUNK}")
    assert rows.where(CHUNK).endswith(f"line {CHUNK + 2}")
    assert rows.keys.shape == (count, 2)


def test_rows_that_a_limit_leaves_out_are_not_looked_at(make_splits):
    rows = make_splits({"train": [(f"r{n}", f"text {n}", n % 2) for n in range(40)]}, train_limit=10)["train"]
    assert len(rows) == 10
    assert [rows.texts[row] for row in range(10)] == [(f"text {number - 2}",) for number in rows.numbers]


def test_only_the_first_examples_are_shown(make_splits):
    rows = make_splits({"train": [(f"r{n}", f"text {n}", n % 2) for n in range(9)]})["train"]
    assert [str(shown).rpartition("/")[2] for shown in rows.show(range(2, 9))] == [
        "train.csv, line 4: text 2  [label 0]",
        "train.csv, line 5: text 3  [label 1]",
        "train.csv, line 6: text 4  [label 0]",
    ]
    assert [shown.remark for shown in rows.show([1], ["said"])] == ["said"]
