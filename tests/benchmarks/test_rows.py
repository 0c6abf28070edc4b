from pathlib import Path

import pytest

from benchmarks.job import Job
from benchmarks.rows import Pair, read_pairs, write_pairs


def test_pairs_survive_being_written(tmp_path: Path) -> None:
    pairs = [Pair('Is it "so"?', "Is it\tso?", 1), Pair("Why?", "How?", 0)]
    write_pairs(tmp_path / "pairs.csv", pairs)
    assert read_pairs(tmp_path / "pairs.csv") == [Pair('Is it "so"?', "Is it so?", 1), Pair("Why?", "How?", 0)]


def test_rows_without_a_sentence_or_label_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("\tid\tsentence1\tsentence2\tis_duplicate\n0\ta\tx\ty\t1.0\n1\tb\t\ty\t0.0\n2\tc\tx\ty\n")
    assert read_pairs(path) == [Pair("x", "y", 1)]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("id\tsentence\n1\tx\n")
    with pytest.raises(ValueError, match="no column is_duplicate, sentence1, sentence2"):
        read_pairs(path)
    write_pairs(path, [])
    with pytest.raises(ValueError, match="has no row"):
        read_pairs(path)


def test_a_short_file_is_repeated_to_the_rows_asked_for(job: Job, cs224n_root: Path) -> None:
    source, prepared = read_pairs(cs224n_root / "quora-train.csv"), read_pairs(job.pairs)
    assert len(source) == 12
    assert prepared == [*source, *source]
