"""One file that several tasks split: the rows of a stream must be the same for all of its tasks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.shared_files import find_unlike_splits
from datamodules.streams import describe_streams, find_streams
from tasks import PairClassification, PairMultiLabel, PairRegression, Source, Task

NUMBERS = np.random.default_rng(1).choice(6, 200, p=[0.5, 0.02, 0.2, 0.03, 0.05, 0.2])  # some classes are rare


def pair_tasks(**source: Any) -> dict[str, Task]:
    where: dict[str, Any] = {"source": Source(all="pairs.tsv", dev_share=0.23, **source), "texts": ("a", "b")}
    return {
        "classes": PairClassification(**where, label="stars", num_classes=6, encoding="cross"),
        "score": PairRegression(**where, label="stars", low=0, high=5, encoding="bi"),
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [f"text {row} here\tother {7 * row}\t{number}\n" for row, number in enumerate(NUMBERS)]
    (tmp_path / "pairs.tsv").write_text("".join(["a\tb\tstars\n", *rows]))
    return tmp_path


def dev_ids(task: Task, root: Path) -> list[str]:
    return [example.id for example in task.read("dev", root, lambda note: None)]


def test_a_class_and_a_score_of_one_column_split_the_file_otherwise_and_share_no_stream(root: Path) -> None:
    tasks = pair_tasks()
    assert dev_ids(tasks["classes"], root) != dev_ids(tasks["score"], root)
    streams = find_streams(tasks)
    assert streams == {"classes": ("classes",), "score": ("score",)}
    (said,) = describe_streams(tasks, streams)
    assert said == "classes and score read the same texts but differ in source.stratify: they share no batch"
    (note,) = find_unlike_splits(tasks)
    assert note.startswith("tasks classes and score split pairs.tsv otherwise: rows that one trains on are dev rows")


def test_both_share_a_stream_where_a_column_decides(root: Path) -> None:
    tasks = pair_tasks(stratify="stars")
    assert dev_ids(tasks["classes"], root) == dev_ids(tasks["score"], root)
    assert find_streams(tasks) == {"classes+score": ("classes", "score")}
    assert not list(find_unlike_splits(tasks))


def test_two_encodings_of_one_label_share_a_stream(root: Path) -> None:
    where: dict[str, Any] = {"source": Source(all="pairs.tsv", dev_share=0.23), "texts": ("a", "b"), "label": "stars"}
    kinds: list[Task] = [
        PairClassification(**where, classes=("0", "1", "2", "3", "4", "5")),
        PairClassification(**where, classes=("0", "1", "2", "3", "4", "5"), encoding="bi", weight=0.5),
        PairClassification(**where, classes=("5", "4", "3", "2", "1", "0")),
        PairMultiLabel(**where, classes=("0", "1", "2", "3", "4", "5"), separator=";"),
    ]
    assert list(find_streams(dict(zip("abcd", kinds, strict=True)))) == ["a+b", "c", "d"]
    assert dev_ids(kinds[0], root) == dev_ids(kinds[1], root)
