"""Splits of small tables, read as `check` reads them."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import BertTokenizer

from checks.split_rows import SplitRows, read_split_rows
from datamodules.encoding import open_split
from tasks import Classification, PairClassification, PairRegression, Source, Task

Table = Sequence[tuple[Any, ...]]  # rows of id, one or two texts, label
MakeSplits = Callable[..., dict[str, SplitRows]]


@pytest.fixture
def make_splits(tmp_path: Path, tokenizer: BertTokenizer) -> MakeSplits:
    """Return the rows of some splits; `classes` 0 asks for scores from 0 to 5."""

    def make(
        tables: Mapping[str, Table], *, classes: int = 2, name: str = "films", max_length: int = 128, **settings: Any
    ) -> dict[str, SplitRows]:
        root = tmp_path / name
        root.mkdir()
        sides = len(next(iter(tables.values()))[0]) - 2
        columns = ("a", "b")[:sides]
        for split, table in tables.items():
            with (root / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("id", *columns, "y"), *table])
        options = {"source": Source(**{split: f"{split}.csv" for split in tables}), "texts": columns, "label": "y"}
        task = make_task(sides, classes, **options, id="id", **settings)
        return {
            split: read_split_rows(
                name,
                task,
                split,  # type: ignore[arg-type]
                open_split(
                    task,
                    split,  # type: ignore[arg-type]
                    root=root,
                    tokenizer=tokenizer,
                    max_length=max_length,
                    cache_dir=tmp_path / "cache",
                    report=lambda note: None,
                ),
                root=root,
                folder=root,
                special=tokenizer.all_special_tokens,
            )
            for split in tables
        }

    return make


def make_task(sides: int, classes: int, **options: Any) -> Task:
    if not classes:
        return PairRegression(low=0.0, high=5.0, **options)
    return (Classification if sides == 1 else PairClassification)(num_classes=classes, **options)
