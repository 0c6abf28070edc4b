"""Rows without a label for a task: they are predicted and not scored, and without a teacher not trained on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from callbacks.baseline import score_baseline
from datamodules import BatchRows, MultitaskDataModule, MultitaskSampler, RoundRobin, collate
from datamodules.row_orders import SomeRows, order_streams
from lightning_modules import MultitaskModule
from tasks import Classification, InputError, Regression, Source, Task, Teacher
from tests.tiny import build_module, open_data

STARS = ["0", "", "2", "1", "NA", "2", "0", "", "1", "2"]
Build = Callable[..., MultitaskDataModule]


def task(**settings: Any) -> Task:
    arguments = {"texts": ("text",), "label": "stars", "num_classes": 3, "missing_labels": ("", "NA"), **settings}
    return Classification(source=Source(train="train.tsv", dev="dev.tsv"), **arguments)


def write(folder: Path, **splits: list[str]) -> None:
    for split, labels in splits.items():
        lines = [f"film {number}\t{label}" for number, label in enumerate(labels)]
        (folder / f"{split}.tsv").write_text("\n".join(["text\tstars", *lines]) + "\n")


@pytest.fixture
def build(word_backbone: Path, tmp_path: Path) -> Build:
    def open_task(one: Task, train: list[str] = STARS, dev: list[str] = STARS) -> MultitaskDataModule:
        write(tmp_path, train=train, dev=dev)
        data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks={"stars": one}, max_length=32)
        data.prepare_data()
        data.setup("fit")
        return data

    return open_task


def read(one: Task, folder: Path, labels: list[str], split: Any = "train") -> list[Any]:
    write(folder, train=labels, dev=labels)
    return [example.label for example in one.read(split, folder, lambda note: None)]


@pytest.mark.parametrize(
    ("missing", "cells", "expected"),
    [
        ("ignore", ["1", "", "2"], [1, None, 2]),
        (("", "NA", "-"), ["NA", "-", "", "0"], [None, None, None, 0]),
        ((-1,), ["-1", "-1.0", "1"], [None, None, 1]),
    ],
)
def test_a_gap_is_a_row_without_a_label(tmp_path: Path, missing: Any, cells: list[str], expected: list[Any]) -> None:
    assert read(task(missing_labels=missing), tmp_path, cells) == expected


@pytest.mark.parametrize(
    ("missing", "cell", "message"),
    [
        ("error", "", r"train.tsv, line 3: stars is empty \(expected a label\)"),
        (("NA",), "", r"train.tsv, line 3: stars is empty \(expected a label\)"),
        ("ignore", "NA", r"train.tsv, line 3: stars is 'NA' \(expected 0 to 2\)"),
        (("", "NA"), "-1", r"train.tsv, line 3: stars is '-1' \(expected 0 to 2\)"),
    ],
)
def test_what_is_not_called_a_gap_is_none(tmp_path: Path, missing: Any, cell: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(task(missing_labels=missing), tmp_path, ["1", cell])


def test_a_word_for_gaps_may_not_be_a_label() -> None:
    with pytest.raises(InputError, match="missing_labels has '1', which is a label"):
        task(missing_labels=("", 1))
    with pytest.raises(InputError, match="missing_labels has '-1', which is a label"):
        Regression(source=Source(train="a.tsv"), texts=("text",), label="y", low=-2, high=2, missing_labels=(-1,))


def test_only_a_task_with_gaps_reads_otherwise() -> None:
    """The name of a cached file, which checkpoints hold, stays what it was."""
    assert "missing_labels" not in task(missing_labels="error").reading_settings()
    settings = [task(missing_labels=words).reading_settings() for words in ("ignore", ("", "NA"))]
    assert settings[0] != settings[1]


def test_training_takes_each_labelled_row_once_an_epoch(build: Build) -> None:
    batches = list(build(task()).train_dataloader())
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == [0, 2, 3, 5, 6, 8, 9]
    assert [label for batch in batches for label in batch.labels.tolist()].count(-1) == 0
    assert [len(batch.rows) for batch in batches] == [4, 3]


def test_evaluation_takes_every_row_and_counts_the_labelled_ones(build: Build, word_backbone: Path) -> None:
    data = build(task())
    module = build_module(word_backbone, tasks=data.tasks).eval()
    (batch,) = data.val_dataloader()
    found = module.validation_step(batch, 0)["stars"]
    assert len(found["prediction"]) == len(STARS)
    (scores,) = module._metrics["val"].take(lambda counts: counts).values()
    known = [row for row, cell in enumerate(STARS) if cell not in ("", "NA")]
    places = [batch.rows.tolist().index(row) for row in known]
    labels = torch.tensor([int(STARS[row]) for row in known])
    assert float(scores["accuracy"]) == pytest.approx(float((found["prediction"][places] == labels).float().mean()))
    expected = torch.nn.functional.cross_entropy(module(batch)[places], labels)
    assert float(scores["loss"]) == pytest.approx(float(expected), rel=1e-6)


def test_a_batch_with_gaps_learns_from_its_labelled_rows(build: Build, word_backbone: Path) -> None:
    data = build(task())
    module: MultitaskModule = build_module(word_backbone, tasks=data.tasks).eval()
    store = data.stores["train"]["stars"]
    with_gaps, without = (collate(store, BatchRows("stars", np.array(rows))) for rows in ([0, 1, 2, 4], [0, 2]))
    losses = [float(module.training_step(batch, 0)["loss"]) for batch in (with_gaps, without)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_batch_without_any_label_counts_for_nothing(build: Build, word_backbone: Path) -> None:
    data = build(task())
    module = build_module(word_backbone, tasks=data.tasks).eval()
    module.validation_step(collate(data.stores["dev"]["stars"], BatchRows("stars", np.array([1, 4]))), 0)
    assert module._metrics["val"].take(lambda counts: counts) == {}


def test_the_baseline_is_of_the_labelled_rows(build: Build) -> None:
    data = build(task(), train=["2", "2", "1", "", ""], dev=["2", "", "0", ""])
    found = score_baseline(data.stores["train"]["stars"], data.stores["dev"]["stars"], np.array([0, 1, 2]))
    assert found["accuracy"] == 0.5


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_split_without_any_label_is_an_error(build: Build, split: str) -> None:
    message = rf"{split}.tsv: stars holds no label in 2 rows \(task stars, {split} split; expected some"
    with pytest.raises(InputError, match=message):
        build(task(), **{split: ["", "NA"]})


def test_a_class_that_gaps_leave_without_rows_is_told(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    build(task(), train=["0", "", "1", "NA"])
    assert "task stars: the train split has no example of class 2" in caplog.text


def test_some_rows_are_shuffled_and_resume_at_any_batch() -> None:
    rows = np.array([3, 5, 8, 9, 11])

    def draw(start: int) -> list[list[int]]:
        sampler = MultitaskSampler({"a": 5}, {"a": 2}, RoundRobin(), orders={"a": SomeRows(rows)}, seed=1)
        sampler.resume(2, start)
        return [batch.rows.tolist() for batch in sampler]

    whole = draw(0)
    assert sorted(row for batch in whole for row in batch) == rows.tolist()
    assert draw(1) == whole[1:]


TAUGHT = [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]  # what the teacher answers for even and for odd rows


@pytest.fixture
def teacher(tmp_path: Path) -> Teacher:
    lines = [",".join(map(str, [number, *TAUGHT[number % 2]])) for number in range(len(STARS))]
    (tmp_path / "taught.csv").write_text("\n".join(["id,0,1,2", *lines]) + "\n")
    return Teacher(files=(str(tmp_path / "taught.csv"),), weight=0.25)


def test_unlabelled_rows_learn_from_the_teacher(build: Build, teacher: Teacher, word_backbone: Path, caplog) -> None:
    with caplog.at_level("INFO"):
        data = build(task(teacher=teacher))
    assert "task stars: rows without a label learn from the teacher alone" in caplog.messages
    batches = list(data.train_dataloader())
    assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(len(STARS)))
    module = build_module(word_backbone, tasks=data.tasks).eval()
    assert any(0 < batch.num_labelled < len(batch.rows) for batch in batches)
    for batch in batches:
        rows = batch.rows.tolist()
        known = [place for place, row in enumerate(rows) if STARS[row] not in ("", "NA")]
        output = module(batch)
        labels = torch.tensor([int(STARS[rows[place]]) for place in known])
        taught = torch.tensor([TAUGHT[row % 2] for row in rows])
        divergence = torch.nn.functional.kl_div(output.log_softmax(-1), taught, reduction="batchmean")
        expected = 0.75 * torch.nn.functional.cross_entropy(output[known], labels) + 0.25 * divergence
        assert float(module.training_step(batch, 0)["loss"]) == pytest.approx(float(expected), rel=1e-5)


def test_labels_over_several_batches_of_a_step_count_alike_beside_a_teacher(build: Build, teacher: Teacher) -> None:
    data = build(task(teacher=teacher))
    stores = data.stores["train"]
    orders = order_streams({"stars": ("stars",)}, stores)
    sampler = MultitaskSampler(
        orders.sizes, {"stars": 5}, RoundRobin(), seed=0, window=2, orders=orders.orders, labelled=orders.labelled
    )
    parts = [(rows, index.labelled[0].factor) for index in sampler for rows in [index.rows]]
    counts = [int(stores["stars"].has_label[rows].sum()) for rows, _ in parts]
    assert sum(counts) == 7
    assert [factor for _, factor in parts] == pytest.approx([count / 5 / (7 / 10) for count in counts])


def test_balanced_rows_have_a_label_beside_a_teacher(build: Build, teacher: Teacher, caplog) -> None:
    with caplog.at_level("INFO"):
        data = build(task(teacher=teacher, sampling="balanced"))
    drawn = {row for batch in data.train_dataloader() for row in batch.rows.tolist()}
    assert drawn <= {0, 2, 3, 5, 6, 8, 9}
    assert "learn from the teacher alone" not in caplog.text
