"""A task that learns from another one over the same rows, in the same step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from callbacks import StepSeed, TaskLosses
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from objectives import RDrop
from tasks import InputError, MultiLabel, Quora, Sts, Task, Teacher
from tests.tables import table_tasks, write_table
from tests.tiny import batches_of, build_module, gradients_of, make_trainer, open_data

WEIGHT, TEMPERATURE = 0.3, 2.0
OTHER_ORDER: dict[str, Any] = {"classes": ("song", "film"), "teacher": Teacher(task="topic")}
Build = Callable[..., tuple[MultitaskModule, MultitaskDataModule]]


def twins(kind: Callable[..., Task], **shared: Any) -> dict[str, Task]:
    """Return a cross task, and a bi task over the same pairs that learns from it."""
    teacher = Teacher(task="cross", weight=WEIGHT, temperature=TEMPERATURE)
    return {"cross": kind(**shared), "bi": kind(encoding="bi", teacher=teacher, **shared)}


@pytest.fixture
def build(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> Build:
    def make(tasks: dict[str, Task], *, dropout: bool = False, **model: Any) -> tuple[Any, Any]:
        torch.manual_seed(0)
        module = build_module(tiny_backbone, tasks=tasks, **model)
        for part in module.modules():
            if isinstance(part, nn.Dropout) and not dropout:
                part.p = 0.0
        return module, open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks)

    return make


@pytest.mark.parametrize("kind", [Quora, Sts])
@pytest.mark.parametrize("swap", [False, True])
def test_the_loss_is_the_formula_and_no_gradient_flows_to_the_teacher(
    kind: Callable[..., Task], swap: bool, build: Build
) -> None:
    """cross + (1 - weight) bi + weight soft, each part by hand."""
    module, data = build(twins(kind, weight=0.5, swap=swap))
    batches = batches_of(data)
    assert len(batches) == 3
    for batch in batches:
        found = module.training_step(batch, 0)
        (cross, a), (bi, b) = ((module.heads[part.task], module(part)) for part in batch.parts)
        labels = batch.parts[0].labels
        teacher = cross.predict(a) if cross.probabilities(a) is None else cross.probabilities(a)
        soft = bi.soft_loss(b, teacher.detach(), TEMPERATURE)
        expected = 0.5 * (cross.loss(a, labels) + (1 - WEIGHT) * bi.loss(b, labels) + WEIGHT * soft)
        assert found["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
        assert found["terms"]["bi/teacher"].value.item() == pytest.approx(WEIGHT * soft.item(), rel=1e-5)
        by_hand = gradients_of(module, expected)
        for name, gradient in gradients_of(module, module.training_step(batch, 0)["loss"]).items():
            torch.testing.assert_close(gradient, by_hand[name], rtol=1e-4, atol=1e-6, msg=name)


def test_a_teacher_alone_leaves_the_teachers_head_as_it_would_be(build: Build) -> None:
    tasks = twins(Sts)
    taught = {**tasks, "bi": replace(tasks["bi"], teacher=Teacher(task="cross", weight=1.0))}
    module, data = build(taught)
    batch = batches_of(data)[0]
    together = gradients_of(module, module.training_step(batch, 0)["loss"])
    alone = gradients_of(module, module.training_step(batch.parts[0], 0)["loss"])
    heads = [name for name in alone if name.startswith("heads.cross")]
    assert heads
    for name in heads:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-5, atol=1e-7)
    assert any(name.startswith("heads.bi") for name in together)


def test_sets_of_labels_are_taught_by_their_probabilities(word_backbone: Path, tmp_path: Path) -> None:
    for name in ("train.tsv", "dev.tsv"):
        write_table(tmp_path, name)
    tags = table_tasks()["tags"]
    tasks = {"tags": tags, "taught": replace(tags, teacher=Teacher(task="tags"))}
    module = build_module(word_backbone, tasks=tasks)
    batch = batches_of(open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks))[0]
    found = module.training_step(batch, 0)["terms"]
    assert found["taught/teacher"].rows == len(batch.rows)  # a row without a label is learnt from too
    assert found["taught/loss"].rows == batch.parts[1].num_labelled
    assert isinstance(tags, MultiLabel)
    assert found["taught/teacher"].value > 0


def test_a_second_pass_learns_from_the_same_teacher(build: Build) -> None:
    """R-Drop's mean of two losses, both with the teacher of the first pass: without dropout they are equal."""
    plain, data = build(twins(Sts))
    twice, _ = build(twins(Sts), regularizer=RDrop())
    batch = batches_of(data)[0]
    expected = plain.training_step(batch, 0)["loss"]
    torch.testing.assert_close(twice.training_step(batch, 0)["loss"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_training_learns_from_the_teacher(build: Build, tmp_path: Path, frozen: bool) -> None:
    module, data = build(twins(Sts), freeze_backbone=frozen)
    before = {name: weight.clone() for name, weight in module.heads.state_dict().items()}
    make_trainer(tmp_path, StepSeed(1), TaskLosses(), max_steps=3).fit(module, datamodule=data)
    changed = {name for name, weight in module.heads.state_dict().items() if not torch.equal(weight, before[name])}
    assert {name.split(".")[0] for name in changed} == {"cross", "bi"}
    assert data.identity()["tasks"]["bi"]["teacher"] == "cross"
    assert "teacher" not in data.identity()["tasks"]["cross"]


@pytest.mark.parametrize(
    ("tasks", "settings", "message"),
    [
        ({"a": Sts(teacher=Teacher(task="b"))}, {}, r"task a: teacher.task is 'b' \(expected another task: \)"),
        (
            {"a": Sts(teacher=Teacher(task="a")), "b": Sts()},
            {},
            r"task a: teacher.task is 'a' \(expected another task: b\)",
        ),
        (
            {"a": Sts(teacher=Teacher(task="b")), "b": Quora()},
            {},
            r"task a: its teacher b does not share its rows \(expected the same source, texts, id, reading",
        ),
        (twins(Sts), {"share_rows": False}, "task bi: its teacher cross does not share its rows .*share_rows true"),
        (
            {**table_tasks(), "mood": replace(table_tasks()["stars"], teacher=Teacher(task="topic"))},
            {},
            r"task mood: it has Scores\(low=1, high=5\), but its teacher topic the classes film, song",
        ),
        (
            {
                **table_tasks(),
                "mood": table_tasks(topic={"classes": ("song", "film"), "teacher": Teacher(task="topic")})["topic"],
            },
            {},
            r"it has the classes song, film, but its teacher topic the classes film, song \(expected the same\)",
        ),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused(
    tasks: dict[str, Task], settings: dict[str, Any], message: str, word_backbone: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, **settings)


def test_a_teacher_is_files_or_a_task() -> None:
    with pytest.raises(InputError, match=r"teacher.task is sts, and there are teacher.files \(expected one of both\)"):
        Teacher(files=("a.csv",), task="sts")
    assert Sts(teacher=Teacher(task="sts")).read_teacher("sts", ["x"]) is None
    assert (Sts(teacher=Teacher(task="sts")).taught_by, Sts().taught_by) == ("sts", None)
