"""One table with several label columns, some cells empty, for tests of tasks over the same rows."""

from pathlib import Path
from typing import Any

from tasks import Classification, MultiLabel, PairRegression, Regression, Source, Task

TOPICS = ["film", "song", "", "film", "song", "film", "song", "", "film", "song", "film"]
STARS = ["1", "", "3", "2", "5", "4", "", "1", "2", "3", "5"]
TAGS = ["good", "good;bad", "", "bad", "", "", "good", "bad", "good;bad", "", ""]
STILL, STILL_COSINE = ({"class_path": name, "init_args": {"dropout": 0.0}} for name in ("LinearHead", "CosineHead"))
WORDS = ["the", "cat", "dog", "film", "song", "is", "was", "very", "not", "good", "bad", "dull", "slow", "great"]


def write_table(folder: Path, name: str = "train.tsv") -> None:
    """Write texts of different length with a topic, stars and tags."""
    lines = ["id\ttext\tother\ttopic\tstars\ttags"]
    for row, labels in enumerate(zip(TOPICS, STARS, TAGS, strict=True)):
        text, other = (" ".join(WORDS[shift : shift + 2 + (5 * row + shift) % 7]) for shift in (row % 5, row % 3))
        lines.append("\t".join([f"r{row}", text, other, *labels]))
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def table_tasks(**changes: dict[str, Any]) -> dict[str, Task]:
    """Return three tasks over the table; changes by the name of a task."""
    shared: dict[str, Any] = {
        "source": Source(train="train.tsv", dev="dev.tsv"),
        "texts": ("text",),
        "id": "id",
        "missing_labels": "ignore",
    }
    own = {name: {**shared, **changes.get(name, {})} for name in ("topic", "stars", "tags")}
    return {
        "topic": Classification(**{"label": "topic", "classes": ("film", "song"), **own["topic"]}),
        "stars": Regression(**{"label": "stars", "low": 1, "high": 5, **own["stars"]}),
        "tags": MultiLabel(**{"label": "tags", "classes": ("good", "bad"), "separator": ";", **own["tags"]}),
    }


def pair_tasks(**changes: Any) -> dict[str, Task]:
    """Return two tasks over the pairs of the table, joined and side by side."""
    shared: dict[str, Any] = {
        "source": Source(train="train.tsv", dev="dev.tsv"),
        "texts": ("text", "other"),
        "label": "stars",
        "low": 1,
        "high": 5,
        "missing_labels": "ignore",
        **changes,
    }
    return {name: PairRegression(**{**shared, "encoding": name}) for name in ("cross", "bi")}


def table_config() -> dict[str, Any]:
    """Return the tasks of both, without dropout in their heads, as a configuration has them."""
    shared = {"source": {"train": "train.tsv", "dev": "dev.tsv"}, "id": "id", "missing_labels": "ignore"}
    own: dict[str, tuple[str, dict[str, Any]]] = {
        "topic": ("Classification", {"label": "topic", "classes": ["film", "song"], "head": STILL}),
        "stars": ("Regression", {"label": "stars", "low": 1, "high": 5, "head": STILL}),
        "tags": ("MultiLabel", {"label": "tags", "classes": ["good", "bad"], "separator": ";", "head": STILL}),
        "cross": ("PairRegression", {"label": "stars", "low": 1, "high": 5, "encoding": "cross", "head": STILL}),
        "bi": ("PairRegression", {"label": "stars", "low": 1, "high": 5, "encoding": "bi", "head": STILL_COSINE}),
    }
    return {
        name: {
            "class_path": kind,
            "init_args": {**shared, "texts": ["text", "other"] if name in ("cross", "bi") else ["text"], **settings},
        }
        for name, (kind, settings) in own.items()
    }
