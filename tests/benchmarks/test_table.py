from pathlib import Path

import pytest

from benchmarks.rows import read_pairs
from benchmarks.table import DEV_ROWS, run_table, write_table


def test_a_table_has_its_rows_and_the_words_of_the_file(cs224n_root: Path, tmp_path: Path) -> None:
    source = cs224n_root / "quora-train.csv"
    write_table(tmp_path, source, 50)
    train, dev = (read_pairs(tmp_path / f"quora-{split}.csv") for split in ("train", "dev"))
    assert (len(train), len(dev)) == (50, DEV_ROWS)
    words = {word for pair in read_pairs(source) for word in pair.first.split()}
    assert {word for pair in train for word in pair.second.split()} <= words
    assert {pair.label for pair in train} == {0, 1}


@pytest.mark.slow
def test_a_training_starts_on_a_table_twice(cs224n_root: Path) -> None:
    entries = run_table(cs224n_root / "quora-train.csv", 200, report=lambda _: None)
    assert [entry["name"] for entry in entries] == ["ours 200 rows, anew", "ours 200 rows, with its tokens kept"]
    assert all(entry["cpu_s"] > 1 and entry["peak_mib"] > 100 for entry in entries)
